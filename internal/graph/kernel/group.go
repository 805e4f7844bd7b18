package kernel

// GroupTile is a strip of a convolution in small groups: np pixels of one block of 16 channels,
// held in registers while all taps go by. An output channel sees the channels of its own group,
// which are G consecutive ones of the block at its place; those are o^d for d < G, G a power of
// two.
//
//	for r in rows, i < np, o < 16:
//		Y[r·YRow + i·YPixel + o] =
//			Σ over t, d < G: X[r·XRow + Taps[t] + i·16 + (o^d)] · W[(t·G + d)·16 + o]
//
// Exchanging channels by o^d is an instruction on registers with its pattern in the code, and d = 0
// needs none: with 4 channels in a group that is 3 exchanges for 4 multiplications of 16 channels,
// where the ordinary kernel would multiply 16 times, with zeros.
type GroupTile struct {
	X, W, Y    []float32
	Taps       []int
	Rows       int
	XRow, YRow int
	YPixel     int
}

// groupStrip is the largest np of the kernels of groups.
const groupStrip = 8

// Groups reports whether there is a kernel for groups of so many channels in and out.
func Groups(channels int) bool { return channels == 4 || channels == 8 }

// groupIndex is the place of a kernel in a table: 0 for groups of 4, 1 for groups of 8.
func groupIndex(g int) int {
	if !Groups(g) {
		panic("kernel: bad group")
	}
	return g/4 - 1
}

// reach is the largest offset of taps; it refuses negative ones.
func reach(taps []int) (most int) {
	if len(taps) == 0 {
		panic("kernel: no taps")
	}
	for _, o := range taps {
		if o < 0 {
			panic("kernel: negative tap")
		}
		most = max(most, o)
	}
	return most
}

// Run computes strips of np pixels in groups of g channels.
func (t *GroupTile) Run(np, g int) {
	of := groupIndex(g)
	if np < 1 || np > groupStrip || t.Rows < 1 || min(t.XRow, t.YRow, t.YPixel) < 0 {
		panic("kernel: bad group tile")
	}
	r := t.Rows - 1
	if r*t.XRow+reach(t.Taps)+np*16 > len(t.X) {
		panic("kernel: short group tile input")
	}
	if len(t.Taps)*g*16 > len(t.W) {
		panic("kernel: short group tile weights")
	}
	if r*t.YRow+(np-1)*t.YPixel+16 > len(t.Y) {
		panic("kernel: short group tile output")
	}
	active.group[of][np](t)
}

// RunWidth covers width pixels of each row with balanced strips.
func (t *GroupTile) RunWidth(width, g int) {
	x, y := t.X, t.Y
	for n, at := (width+groupStrip-1)/groupStrip, 0; n > 0; n-- {
		np := (width - at + n - 1) / n
		t.X, t.Y = x[at*16:], y[at*t.YPixel:]
		t.Run(np, g)
		at += np
	}
	t.X, t.Y = x, y
}

// GroupGrad adds the products of the weight gradient of a convolution in groups of G channels, for
// one block of 16: see GroupTile for o^d.
//
//	for t in taps, d < G, o < 16:
//		DW[(t·G + d)·16 + o] += Σ over r < Rows, p < Pixels:
//			X[Taps[t] + r·XRow + p·16 + (o^d)] · DY[r·DYRow + p·16 + o]
type GroupGrad struct {
	X, DY, DW   []float32
	Taps        []int
	Pixels      int
	Rows        int
	XRow, DYRow int
}

// Run adds the products in groups of g channels.
func (t *GroupGrad) Run(g int) {
	of := groupIndex(g)
	if t.Rows < 1 || t.Pixels < 1 || min(t.XRow, t.DYRow) < 0 {
		panic("kernel: bad group gradient")
	}
	r, p := t.Rows-1, t.Pixels
	if reach(t.Taps)+r*t.XRow+p*16 > len(t.X) {
		panic("kernel: short group gradient input")
	}
	if r*t.DYRow+p*16 > len(t.DY) {
		panic("kernel: short group gradient output gradient")
	}
	if len(t.Taps)*g*16 > len(t.DW) {
		panic("kernel: short group gradient weights")
	}
	// Several taps at a time where the registers allow, then one by one.
	taps, dw := t.Taps, t.DW
	at := 0
	for _, k := range active.groupGrad[of] {
		if n := (len(taps) - at) / k.taps * k.taps; n > 0 {
			t.Taps, t.DW = taps[at:at+n], dw[at*g*16:]
			k.run(t)
			at += n
		}
	}
	t.Taps, t.DW = taps, dw
}
