package report

import (
	"html/template"
	"slices"
	"strings"

	"resnet/internal/text"
)

// A Drawing is building blocks and the networks that are made of them.
type Drawing struct {
	Networks []string
	// SVG are the blocks, which go into the page as they are: whoever draws escapes texts. They
	// take the colours of the page.
	SVG []string
}

// Drawings are the blocks of networks, each once and together with others of the same networks,
// plain ones before residual ones and those of shallow networks before those of deep ones. A
// network is called by its settings too where those change its blocks.
func Drawings(nets []Net) []Drawing {
	nets = slices.Clone(nets)
	slices.SortStableFunc(nets, func(a, b Net) int { return byDepth(a.Kind, b.Kind, a.Depth, b.Depth) })
	blocks := map[string]string{} // of a model; "" where its networks differ in them
	for _, n := range nets {
		all := strings.Join(n.Blocks, "")
		if first, ok := blocks[n.Model]; ok && first != all {
			all = ""
		}
		blocks[n.Model] = all
	}
	var drawings []string
	networks := map[string][]string{} // of a drawing
	for _, n := range nets {
		name := n.Model
		if blocks[name] == "" {
			name = n.Label()
		}
		for _, svg := range n.Blocks {
			if networks[svg] == nil {
				drawings = append(drawings, svg)
			}
			if !slices.Contains(networks[svg], name) {
				networks[svg] = append(networks[svg], name)
			}
		}
	}
	var list []Drawing
	for _, svg := range drawings {
		i := slices.IndexFunc(list, func(d Drawing) bool { return slices.Equal(d.Networks, networks[svg]) })
		if i < 0 {
			i, list = len(list), append(list, Drawing{Networks: networks[svg]})
		}
		list[i].SVG = append(list[i].SVG, svg)
	}
	return list
}

// pageDrawing is what a template shows of a Drawing.
type pageDrawing struct {
	Networks string
	SVG      []template.HTML
}

func pageDrawings(list []Drawing) []pageDrawing {
	var out []pageDrawing
	for _, d := range list {
		p := pageDrawing{Networks: text.Printable(strings.Join(d.Networks, ", "))}
		for _, svg := range d.SVG {
			p.SVG = append(p.SVG, template.HTML(svg)) //nolint:gosec // see Drawing
		}
		out = append(out, p)
	}
	return out
}
