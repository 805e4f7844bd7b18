package drawing

import (
	"fmt"
	"strings"

	"resnet/internal/blocks"
)

// tints are the columns' colours in a Graphviz drawing.
var tints = []string{"#e8e8f8", "#ddeedd", "#f8e3dc", "#dce9f5", "#f5eed8", "#ecdff0", "#e4e4e4"}

const dotHead = `	graph [rankdir=TB, ranksep=0.22, nodesep=0.3, fontname="Helvetica", labeljust=l, newrank=true];
	node [shape=box, style="rounded,filled", fillcolor=white, fontname="Helvetica", fontsize=12, margin="0.12,0.05", height=0.3, width=1.5];
	edge [arrowsize=0.6];
`

// DOT draws a network as a Graphviz digraph. Nodes have the name of the first layer that they stand
// for.
func DOT(m blocks.Summary, v View) string {
	d := digraph{column: map[int]int{}}
	var columns []column
	d.boxes, columns = draw(m, v)
	d.line("digraph %q {\n%s", m.Name, strings.TrimSuffix(dotHead, "\n"))
	for c, col := range columns {
		d.columnAt(c, col)
	}
	// The heads in one row, and between them the tops of the ways from column to column.
	row := []string{head(0)}
	for c := 1; c < len(columns); c++ {
		row = append(row, fmt.Sprintf("%q", fmt.Sprint("top ", c)), head(c))
	}
	d.line("\t{ rank=same; %s; }\n\t%s [style=invis];", strings.Join(row, "; "), strings.Join(row, " -> "))
	d.edges()
	d.line("}")
	return d.String()
}

type digraph struct {
	strings.Builder
	boxes  []box
	column map[int]int // of a box
}

func (d *digraph) line(format string, args ...any) { fmt.Fprintf(d, format+"\n", args...) }

// head is the node at the head of a column, quoted.
func head(c int) string { return fmt.Sprintf("%q", fmt.Sprint("column ", c)) }

// columnAt writes the nodes of a column, and those of the way to it from the one before.
func (d *digraph) columnAt(c int, col column) {
	if c > 0 {
		d.line("\tsubgraph \"cluster way %d\" { style=invis; \"top %d\", \"foot %d\" [shape=point, width=0.01, style=invis]; }", c, c, c)
	}
	d.line("\tsubgraph \"cluster column %d\" {\n\tstyle=invis;\n\t%s [label=%q, shape=plaintext, style=\"\"];", c, head(c), col.title)
	for _, s := range segmentsOf(d.boxes, col.boxes) {
		first := d.boxes[s.boxes[0]]
		if s.block != "" {
			d.line("\tsubgraph %q {\n\tlabel=%q; style=rounded; color=\"#bbbbbb\"; fontsize=9; fontcolor=\"#777777\";", "cluster "+s.block, first.frameLabel())
		}
		for _, i := range s.boxes {
			d.column[i] = c
			d.line("\t%q [%s];", d.boxes[i].names[0], d.boxes[i].dot())
		}
		if s.block != "" {
			d.line("\t}")
		}
	}
	d.line("\t}")
}

// edges writes what boxes read. Columns stand side by side: what leads to the next one goes up
// before it, to its head, from which it goes on.
func (d *digraph) edges() {
	crossing := map[[2]int]bool{}
	for i, b := range d.boxes {
		c := d.column[i]
		for _, from := range b.inputs {
			source := head(c)
			switch {
			case from != outside && d.column[from] == c:
				source = fmt.Sprintf("%q", d.boxes[from].names[0])
			case from != outside && !crossing[[2]int{from, c}]:
				crossing[[2]int{from, c}] = true
				name := d.boxes[from].names[0]
				d.line("\t{ rank=same; %q; \"foot %d\"; }\n\t%q -> \"foot %d\" [dir=none];", name, c, name, c)
				d.line("\t\"top %d\" -> \"foot %d\" [dir=none, weight=100];\n\t\"top %d\" -> %s;", c, c, c, head(c))
			}
			style := " [weight=10]" // keeps the way through a block straight
			identity := b.kind == joint && (from == outside || d.boxes[from].block != b.block)
			switch {
			case dotted(d.boxes, from, i):
				style = " [style=dotted]"
			case identity:
				style = ""
			}
			d.line("\t%s -> %q%s;", source, b.names[0], style)
		}
	}
}

// dot are the attributes of a box.
func (b box) dot() string {
	label := fmt.Sprintf("label=%q", strings.Join(b.lines(), "\n"))
	switch {
	case b.sign():
		return label + ", shape=circle, width=0.25, fixedsize=true"
	case b.training:
		return label + ", style=\"rounded,dashed\""
	case b.kind == weighted:
		return label + fmt.Sprintf(", fillcolor=%q", tints[b.tint%len(tints)])
	case len(b.lines()) == 1 && len(b.title) < 8:
		return label + ", width=0.6"
	}
	return label
}
