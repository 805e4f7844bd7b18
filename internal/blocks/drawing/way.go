package drawing

import (
	"fmt"
	"strings"
)

// ways draws the edges of a layout, and what leads from one column to the head of the next.
func (l *layout) ways(b *strings.Builder) {
	crossing := map[[2]int]bool{}
	for i, box := range l.boxes {
		for _, from := range box.inputs {
			source, lane := l.heads[l.column[i]], 0
			switch {
			case from != outside && l.column[from] == l.column[i]:
				source, lane = l.at[from], l.lanes[from]
			case from != outside && !crossing[[2]int{from, l.column[i]}]:
				crossing[[2]int{from, l.column[i]}] = true
				l.cross(b, from, l.column[i])
			}
			class := "way"
			if dotted(l.boxes, from, i) {
				class = "way dotted"
			}
			l.way(b, class, source, lane, from, i)
		}
	}
}

// way draws an edge from source, the place of box from or the head of the column, to box i.
func (l *layout) way(b *strings.Builder, class string, source rect, lane, from, i int) {
	target, sign := l.at[i], l.boxes[i].sign()
	// Straight down where the boxes are above one another.
	sx, tx := source.midX(), target.midX()
	switch {
	case source.w < target.w && target.x < sx && sx < target.right():
		tx = sx
	case source.x < tx && tx < source.right():
		sx = tx
	}
	sy, ty := source.bottom(), target.y
	curve, past := l.curve[[2]int{from, i}]
	switch {
	case past: // out to the right, down, and back
		ty = target.midY()
		path(b, class, "M%.1f,%.1f C%.1f,%.1f %.1f,%.1f %.1f,%.1f L%.1f,%.1f C%.1f,%.1f %.1f,%.1f %.1f,%.1f",
			sx, sy+4, curve, sy+4, curve, sy+4, curve, sy+26, curve, ty-22, curve, ty, curve, ty, target.right(), ty)
		arrow(b, target.right(), ty, leftwards)
	case l.boxes[i].training && from != outside && !l.boxes[from].training: // beside
		path(b, class, "M%.1f,%.1f L%.1f,%.1f Q%.1f,%.1f %.1f,%.1f L%.1f,%.1f", source.right(), source.midY(), tx-8, source.midY(), tx, source.midY(), tx, source.midY()+8, tx, ty)
		arrow(b, tx, ty, downwards)
	case sign && lane > l.lanes[i]: // a shortcut with layers returns
		ty = target.midY()
		path(b, class, "M%.1f,%.1f L%.1f,%.1f Q%.1f,%.1f %.1f,%.1f L%.1f,%.1f", sx, sy, sx, ty-12, sx, ty, sx-12, ty, target.right(), ty)
		arrow(b, target.right(), ty, leftwards)
	case sx == tx:
		path(b, class, "M%.1f,%.1f L%.1f,%.1f", sx, sy, tx, ty)
		arrow(b, tx, ty, downwards)
	default:
		y := min(sy+rowGap+blockGap, ty)
		path(b, class, "M%.1f,%.1f C%.1f,%.1f %.1f,%.1f %.1f,%.1f L%.1f,%.1f", sx, sy, sx, y-2, tx, sy+2, tx, y, tx, ty)
		arrow(b, tx, ty, downwards)
	}
}

// cross draws the way from box i to the head of a later column, up in the gap before that column:
// from its side, or from below where something comes in or stands there.
func (l *layout) cross(b *strings.Builder, i, to int) {
	from, head := l.at[i], l.heads[to]
	gap, end, y := head.x-blockGap-columnGap/2, head.midX()-titleWidth(l.titles[to])/2-5, head.y+headHeight/2
	level := from.midY()
	start := fmt.Sprintf("M%.1f,%.1f", from.right(), level)
	below := 0.0
	if l.boxes[i].sign() {
		below = from.bottom() + 13
	}
	for k, r := range l.at {
		if l.column[k] == l.column[i] && l.boxes[k].training && r.y < level && level < r.bottom()+rowGap {
			below = l.bottom(l.column[i]) + foot
		}
	}
	if below > 0 {
		level = below
		start = fmt.Sprintf("M%.1f,%.1f V%.1f q0,6 6,6", from.midX(), from.bottom(), level-6)
	}
	path(b, "way", "%s H%.1f q8,0 8,-8 V%.1f q0,-8 8,-8 H%.1f", start, gap-8, y+8, end)
	arrow(b, end, y, rightwards)
}

// bottom is that of the lowest box of a column.
func (l *layout) bottom(c int) float64 {
	y := 0.0
	for i, r := range l.at {
		if l.column[i] == c {
			y = max(y, r.bottom())
		}
	}
	return y
}

func path(b *strings.Builder, class, d string, at ...any) {
	fmt.Fprintf(b, "<path class=\"%s\" d=\"%s\"/>\n", class, fmt.Sprintf(d, at...))
}

// The triangles of arrows' heads, from their points.
const (
	downwards  = "l-3,-6 h6 z"
	leftwards  = "l6,-3 v6 z"
	rightwards = "l-6,-3 v6 z"
)

func arrow(b *strings.Builder, x, y float64, triangle string) {
	fmt.Fprintf(b, "<path class=\"arrow\" d=\"M%.1f,%.1f %s\"/>\n", x, y, triangle)
}
