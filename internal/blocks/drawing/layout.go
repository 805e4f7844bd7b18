package drawing

import (
	"slices"
	"unicode/utf8"
)

// Sizes of a drawing, in pixels at its natural size. A letter's width is that of an ordinary
// sans-serif font, on the large side.
const (
	titleLetter, afterLetter = 6.6, 5.7
	boxPad                   = 9 // on each side of a text
	lineHeight               = 15
	signSize                 = 18
	rowGap                   = 16
	laneGap                  = 14
	blockGap                 = 14 // around the frame of a block
	columnGap                = 46
	headHeight               = 22
	foot                     = 16 // below the boxes, for ways
	curveGap                 = 14 // between shortcuts past the same boxes
)

// rect is the place of a box.
type rect struct{ x, y, w, h float64 }

func (r rect) midX() float64   { return r.x + r.w/2 }
func (r rect) midY() float64   { return r.y + r.h/2 }
func (r rect) bottom() float64 { return r.y + r.h }
func (r rect) right() float64  { return r.x + r.w }

// frame surrounds a block.
type frame struct {
	rect
	label string
}

// layout is where everything stands.
type layout struct {
	boxes  []box
	at     []rect
	column []int // of a box
	lanes  []int
	frames []frame
	heads  []rect // of columns, the input first
	titles []string
	// curve is the place of the shortcuts past a box's block, for each edge into it.
	curve map[[2]int]float64
	w, h  float64
}

// arrange places boxes in columns. Each column begins with a head, from which what comes from
// another column leads on.
func arrange(list []box, columns []column) *layout {
	l := &layout{boxes: list, at: make([]rect, len(list)), column: make([]int, len(list)), lanes: make([]int, len(list)), curve: map[[2]int]float64{}}
	x := 0.0
	for c, col := range columns {
		l.titles = append(l.titles, col.title)
		for _, i := range col.boxes {
			l.column[i] = c
		}
		x = l.placeColumn(col, x) + columnGap
	}
	l.w = x - columnGap
	for _, f := range l.frames {
		l.h = max(l.h, f.bottom())
	}
	for i, r := range l.at {
		bottom := r.bottom()
		if l.boxes[i].training || l.boxes[i].sign() { // a way may lead below it
			bottom += foot
		}
		l.h = max(l.h, bottom)
	}
	return l
}

// placeColumn places the boxes of a column whose left edge is x, and returns its right edge.
func (l *layout) placeColumn(col column, x float64) float64 {
	segments := segmentsOf(l.boxes, col.boxes)
	var widths []float64 // of lanes
	for _, s := range segments {
		l.chooseLanes(s)
		for _, i := range s.boxes {
			for len(widths) <= l.lanes[i] {
				widths = append(widths, 0)
			}
			if l.boxes[i].title != "" && !l.spans(i) && !l.boxes[i].training {
				widths[l.lanes[i]] = max(widths[l.lanes[i]], l.boxes[i].width())
			}
		}
	}
	widths[0] = max(widths[0], titleWidth(col.title))
	left := x + blockGap
	l.heads = append(l.heads, rect{left, 0, widths[0], headHeight})
	y, right, aside := float64(headHeight+rowGap), left+widths[0], 0.0
	for _, s := range segments {
		if l.boxes[s.boxes[0]].training {
			aside = max(aside, y)
			var edge float64
			aside, edge = l.placeAside(s, left+total(widths)+2*blockGap, aside)
			right = max(right, edge)
			continue
		}
		var edge float64
		y, edge = l.placeSegment(s, left, y, widths)
		right = max(right, edge)
	}
	return right
}

func total(widths []float64) float64 {
	sum := -float64(laneGap)
	for _, w := range widths {
		sum += w + laneGap
	}
	return sum
}

// placeAside places an auxiliary classifier, a chain, beside the others.
func (l *layout) placeAside(s segment, x, y float64) (bottom, right float64) {
	w := 0.0
	for _, i := range s.boxes {
		w = max(w, l.boxes[i].width())
	}
	return l.placeSegment(s, x+blockGap, y, []float64{w})
}

// placeSegment places a block in lanes of the given widths from y down, and returns where the next
// begins and its right edge.
func (l *layout) placeSegment(s segment, left, y float64, widths []float64) (bottom, right float64) {
	framed := s.block != "" && len(s.boxes) > 1
	top := y
	if framed {
		y += blockGap + 10
	}
	ranks, lanes := l.ranks(s), 0
	for _, i := range s.boxes {
		lanes = max(lanes, l.lanes[i]+1)
	}
	inner := total(widths[:lanes])
	for rank := 0; ; rank++ {
		height, found := 0.0, false
		for k, i := range s.boxes {
			if ranks[k] == rank {
				height, found = max(height, l.boxes[i].height()), true
			}
		}
		if !found {
			break
		}
		for k, i := range s.boxes {
			if ranks[k] != rank {
				continue
			}
			w, h := l.boxes[i].width(), l.boxes[i].height()
			lane := left + total(widths[:l.lanes[i]]) + laneGap
			if l.lanes[i] == 0 {
				lane = left
			}
			middle := lane + widths[l.lanes[i]]/2
			if l.spans(i) {
				w, middle = max(w, inner), left+inner/2
			}
			l.at[i] = rect{middle - w/2, y + (height-h)/2, w, h}
		}
		y += height + rowGap
	}
	y -= rowGap
	right = left + inner
	between := 0.0 // the first lane and the next
	if lanes > 1 {
		between = left + widths[0] + laneGap/2
	}
	right = max(right, l.placeCurves(s, ranks, right, between))
	if !framed {
		return y + rowGap, right
	}
	y += blockGap / 2
	label := l.boxes[s.boxes[0]].frameLabel()
	right += blockGap / 2
	right = max(right, left-blockGap/2+float64(utf8.RuneCountInString(label))*afterLetter+2*boxPad)
	l.frames = append(l.frames, frame{rect{left - blockGap/2, top, right - left + blockGap/2, y - top}, label})
	return y + blockGap, right
}

func titleWidth(s string) float64 { return float64(utf8.RuneCountInString(s)) * titleLetter }

// chooseLanes gives each box of a block a lane: the first reader goes on in the lane of what it
// reads, further ones beside it, and a sum or join returns to the leftmost.
func (l *layout) chooseLanes(s segment) {
	taken, lanes := map[int]bool{}, 0
	for _, i := range s.boxes {
		lane := -1
		for _, from := range l.boxes[i].inputs {
			of := 0
			if slices.Contains(s.boxes, from) {
				of = l.lanes[from]
			}
			if joins := len(l.boxes[i].inputs) > 1; joins && (lane < 0 || of < lane) || !joins && !taken[from] {
				lane = of
			}
			if len(l.boxes[i].inputs) == 1 {
				taken[from] = true
			}
		}
		if lane < 0 {
			lane = lanes
		}
		l.lanes[i], lanes = lane, max(lanes, lane+1)
	}
}

// ranks are the rows of a block's boxes: each below all that it reads.
func (l *layout) ranks(s segment) []int {
	ranks := make([]int, len(s.boxes))
	for k, i := range s.boxes {
		for _, from := range l.boxes[i].inputs {
			if j := slices.Index(s.boxes, from); j >= 0 {
				ranks[k] = max(ranks[k], ranks[j]+1)
			}
		}
	}
	return ranks
}

// placeCurves finds the edges of a block that pass other boxes of their lane, which are drawn as
// curves on its right, short ones inside of long ones; the first that begins in the block goes
// between its lanes, if it has several. It returns the right edge of the outermost.
func (l *layout) placeCurves(s segment, ranks []int, right, between float64) float64 {
	type edge struct{ from, to, start, end int }
	var edges []edge
	for k, i := range s.boxes {
		for _, from := range l.boxes[i].inputs {
			start := -1
			j := slices.Index(s.boxes, from)
			if j >= 0 {
				start = ranks[j]
			}
			if l.spans(i) || j >= 0 && l.lanes[from] != l.lanes[i] {
				continue
			}
			passes := slices.ContainsFunc(s.boxes, func(b int) bool {
				r := ranks[slices.Index(s.boxes, b)]
				return l.lanes[b] == l.lanes[i] && start < r && r < ranks[k]
			})
			if passes {
				edges = append(edges, edge{from, i, start, ranks[k]})
			}
		}
	}
	slices.SortStableFunc(edges, func(a, b edge) int { return (a.end - a.start) - (b.end - b.start) })
	for k, e := range edges {
		if e.start >= 0 && between > 0 {
			l.curve[[2]int{e.from, e.to}], between = between, 0
			continue
		}
		right += curveGap
		if k == 0 {
			right += 4
		}
		l.curve[[2]int{e.from, e.to}] = right
	}
	return right
}

// spans reports whether a box is as wide as its block: a joining of branches.
func (l *layout) spans(i int) bool { return l.boxes[i].form == "concat" }

func (b box) width() float64 {
	if b.sign() {
		return signSize
	}
	w := 0.0
	for k, line := range b.lines() {
		letter := titleLetter
		if k > 0 {
			letter = afterLetter
		}
		w = max(w, float64(utf8.RuneCountInString(line))*letter)
	}
	return w + 2*boxPad
}

func (b box) height() float64 {
	if b.sign() {
		return signSize
	}
	return float64(len(b.lines()))*lineHeight + 8
}
