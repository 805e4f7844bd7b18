package drawing

import (
	"fmt"
	"html"
	"strings"

	"resnet/internal/blocks"
)

// SVG draws a network as an SVG document. It has the colours of light or dark surroundings,
// whichever the viewer has.
func SVG(m blocks.Summary, v View) string {
	l := arrange(draw(m, v))
	return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + l.svg(m.Name, colours+style)
}

// colours are what a page of reports gives to a drawing in it, by the same names.
const colours = `svg { --text: #1c1c1c; --back: #fff; --soft: #5c5c5c; --line: #d9d9d9; --c0: #0072b2; --c1: #d55e00; --c2: #009e73; --c3: #b0568a; --c4: #b87d00; --c5: #2b8cc4; --c6: #000; background: var(--back); }
@media (prefers-color-scheme: dark) { svg { --text: #e8e8e8; --back: #161616; --soft: #a8a8a8; --line: #3d3d3d; --c0: #56a8e8; --c1: #f08a3c; --c2: #2fc79b; --c3: #dd9cc2; --c4: #e6b34d; --c5: #8ecdf2; --c6: #fff; } }
`

const style = `.net text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif; fill: var(--text); text-anchor: middle; }
.net .after { font-size: 10.5px; fill: var(--soft); }
.net .label { font-size: 10px; fill: var(--soft); text-anchor: start; paint-order: stroke; stroke: var(--back); stroke-width: 4px; }
.net .box { fill: var(--back); stroke-width: 1.4; }
.net .plain { stroke: var(--soft); stroke-width: 1; }
.net .training { stroke-dasharray: 4 3; }
.net .frame { fill: none; stroke: var(--line); }
.net .way { fill: none; stroke: var(--text); stroke-width: 1.1; }
.net .dotted { stroke-dasharray: 2 3; }
.net .arrow { fill: var(--text); stroke: none; }
.net .c0 { stroke: var(--c0); } .net .c1 { stroke: var(--c1); } .net .c2 { stroke: var(--c2); } .net .c3 { stroke: var(--c3); } .net .c4 { stroke: var(--c4); } .net .c5 { stroke: var(--c5); } .net .c6 { stroke: var(--c6); }
`

const margin = 6

// svg writes a layout, with the styles given.
func (l *layout) svg(name, styles string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"net\" width=\"%.0f\" height=\"%.0f\" viewBox=\"%d %d %.0f %.0f\" role=\"img\" aria-label=\"%s\">\n",
		l.w+2*margin, l.h+2*margin, -margin, -margin, l.w+2*margin, l.h+2*margin, html.EscapeString(name))
	fmt.Fprintf(&b, "<style>\n%s</style>\n", styles)
	for _, f := range l.frames {
		fmt.Fprintf(&b, "<rect class=\"frame\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"7\"/>\n", f.x, f.y, f.w, f.h)
	}
	for c, head := range l.heads {
		text(&b, "", head.midX(), head.y+15, l.titles[c])
	}
	l.ways(&b)
	for i, box := range l.boxes {
		l.box(&b, i, box)
	}
	for _, f := range l.frames { // above the ways that cross them
		text(&b, "label", f.x+boxPad, f.y+12, f.label)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func text(b *strings.Builder, class string, x, y float64, s string) {
	if class != "" {
		class = fmt.Sprintf(" class=%q", class)
	}
	fmt.Fprintf(b, "<text%s x=\"%.1f\" y=\"%.1f\">%s</text>\n", class, x, y, html.EscapeString(s))
}

func (l *layout) box(b *strings.Builder, i int, box box) {
	r := l.at[i]
	class := "box plain"
	if box.kind == weighted {
		class = fmt.Sprint("box c", l.boxes[i].tint%7)
	}
	if box.training {
		class += " training"
	}
	fmt.Fprintf(b, "<g><title>%s</title>", html.EscapeString(strings.Join(box.names, ", ")))
	if box.sign() {
		fmt.Fprintf(b, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"/>", class, r.midX(), r.midY(), r.w/2)
	} else {
		fmt.Fprintf(b, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"6\"/>", class, r.x, r.y, r.w, r.h)
	}
	y := r.midY() + 4.2 - float64(len(box.lines())-1)*lineHeight/2
	for k, line := range box.lines() {
		class := ""
		if k > 0 {
			class = "after"
		}
		text(b, class, r.midX(), y+float64(k)*lineHeight, line)
	}
	b.WriteString("</g>\n")
}
