package blocks

import (
	"fmt"
	"strings"
)

// DOT draws the net as a Graphviz digraph, one node a layer, a frame around each block.
func (s Summary) DOT() string {
	var b strings.Builder
	fmt.Fprintf(&b, "digraph %q {\n\tnode [shape=box, fontname=\"sans-serif\"];\n", s.Name)
	fmt.Fprintf(&b, "\t\"input\" [label=\"input\\n%s\", shape=plaintext];\n", shapeText(s.Input))
	frame := ""
	for _, l := range s.Layers {
		if f := frameOf(l.Name); f != frame {
			if frame != "" {
				b.WriteString("\t}\n")
			}
			if frame = f; frame != "" {
				fmt.Fprintf(&b, "\tsubgraph %q {\n\tlabel=%q;\n", "cluster_"+frame, frame)
			}
		}
		label := l.Type
		if l.Detail != "" {
			label += " " + l.Detail
		}
		fmt.Fprintf(&b, "\t%q [label=\"%s\\n%s\"];\n", l.Name, label, shapeText(l.Output))
	}
	if frame != "" {
		b.WriteString("\t}\n")
	}
	for _, l := range s.Layers {
		for _, from := range l.Inputs {
			fmt.Fprintf(&b, "\t%q -> %q;\n", from, l.Name)
		}
	}
	b.WriteString("}\n")
	return b.String()
}

// frameOf is the block a layer belongs to, "layer1.0", or "" outside the stages.
func frameOf(layer string) string {
	parts := strings.Split(layer, ".")
	if len(parts) < 3 {
		return ""
	}
	return parts[0] + "." + parts[1]
}

// shapeText writes a shape as 16x32x32.
func shapeText(shape []int) string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(shape), "[]"), " ", "x")
}
