package kernel

// Tile is a strip of a direct convolution or of a batch of small matrix products: np pixels by nb
// blocks of 16 output channels, held in registers while all taps and input channels go by.
//
//	for p in planes, r in rows, i < np, b < nb, o < 16:
//		Y[p·YPlane + r·YRow + i·YPixel + b·Y2 + o] =
//			Σ over t, c < In: X[p·XPlane + r·XRow + Taps[t] + i·16 + c] ·
//			                  W[p·WPlane + b·W2 + (t·In + c)·16 + o]
//
// A tap is any (block of input channels, kernel row, kernel column); Taps holds its offset in X, so
// that one kernel serves every kernel size, and every stride once the input is split into phases.
type Tile struct {
	X, W, Y        []float32
	Taps           []int
	In             int // input channels of a tap, 1 to 16
	Rows           int
	XRow, YRow     int
	YPixel         int
	Planes         int
	XPlane, WPlane int
	YPlane         int
	W2, Y2         int // offsets of the second block of output channels
}

// MaxStrip is the largest np that Run takes for nb blocks, nb = 1 or 2; 0 means that nb is not
// supported.
func MaxStrip(nb int) int {
	if n := len(active.tile[nb]); n > 0 {
		return n - 1
	}
	return 0
}

// Blocks is how many of the ob blocks of output channels that are left one call of Run takes best:
// 2 where the registers allow.
func Blocks(ob int) int {
	if ob >= 2 && MaxStrip(2) > 0 {
		return 2
	}
	return 1
}

// WidthMatters reports whether the bits of a pixel depend on how many others are computed with it,
// where ob blocks of output channels are taken as Blocks says.
func WidthMatters(ob int) bool {
	return active.alternates[Blocks(ob)] || active.alternates[1] && ob%Blocks(ob) != 0
}

// Run computes strips of np pixels by nb blocks.
func (t *Tile) Run(np, nb int) {
	if t.Rows < 1 || t.Planes < 1 || t.In < 1 || t.In > 16 || len(t.Taps) == 0 ||
		min(t.XRow, t.YRow, t.YPixel, t.XPlane, t.WPlane, t.YPlane) < 0 || nb == 2 && min(t.W2, t.Y2) < 0 {
		panic("kernel: bad tile")
	}
	tap := t.Taps[0]
	low := tap
	for _, o := range t.Taps {
		tap, low = max(tap, o), min(low, o)
	}
	p, r := t.Planes-1, t.Rows-1
	if low < 0 || p*t.XPlane+r*t.XRow+tap+(np-1)*16+t.In > len(t.X) {
		panic("kernel: short tile input")
	}
	if p*t.WPlane+(nb-1)*t.W2+len(t.Taps)*t.In*16 > len(t.W) {
		panic("kernel: short tile weights")
	}
	if p*t.YPlane+r*t.YRow+(np-1)*t.YPixel+(nb-1)*t.Y2+16 > len(t.Y) {
		panic("kernel: short tile output")
	}
	active.tile[nb][np](t)
}

// RunWidth covers width pixels of each row with balanced strips of at most MaxStrip(nb); X and Y
// start at the first pixel.
func (t *Tile) RunWidth(width, nb int) {
	x, y := t.X, t.Y
	most := MaxStrip(nb)
	for n, at := (width+most-1)/most, 0; n > 0; n-- {
		np := (width - at + n - 1) / n
		t.X, t.Y = x[at*16:], y[at*t.YPixel:]
		t.Run(np, nb)
		at += np
	}
	t.X, t.Y = x, y
}

// RunFlat covers n consecutive pixels in each plane (no rows): strips become rows where they have
// the same length.
func (t *Tile) RunFlat(n, nb int) {
	x, y := t.X, t.Y
	most := MaxStrip(nb)
	strips := (n + most - 1) / most
	np := (n + strips - 1) / strips
	full := n / np
	t.Rows, t.XRow, t.YRow = full, np*16, np*t.YPixel
	t.Run(np, nb)
	if rest := n - full*np; rest > 0 {
		t.Rows = 1
		t.X, t.Y = x[full*np*16:], y[full*np*t.YPixel:]
		t.Run(rest, nb)
		t.X, t.Y = x, y
	}
}

// GradTile adds the outer products of a weight gradient: ni input channels by nb blocks of 16
// output channels in registers while all pixels go by.
//
//	for t in taps, i < ni, b < nb, o < 16:
//		DW[t·DWTap + b·DW2 + i·16 + o] += Σ over r < Rows, p < Pixels:
//			X[Taps[t] + r·XRow + p·16 + i] · DY[t·DYPlane + r·DYRow + p·16 + b·DY2 + o]
type GradTile struct {
	X, DY, DW   []float32
	Taps        []int
	Pixels      int
	Rows        int
	XRow, DYRow int
	DYPlane     int
	DWTap       int
	DY2, DW2    int
}

// Run adds the products of ni input channels by nb blocks.
func (t *GradTile) Run(ni, nb int) {
	t.check(ni, nb)
	active.grad[gradSize{ni, nb}](t)
}

func (t *GradTile) check(ni, nb int) {
	if t.Rows < 1 || t.Pixels < 1 || len(t.Taps) == 0 || min(t.XRow, t.DYRow, t.DYPlane, t.DWTap) < 0 || nb == 2 && min(t.DY2, t.DW2) < 0 {
		panic("kernel: bad gradient tile")
	}
	tap := t.Taps[0]
	low := tap
	for _, o := range t.Taps {
		tap, low = max(tap, o), min(low, o)
	}
	r, p, n := t.Rows-1, t.Pixels-1, len(t.Taps)-1
	if low < 0 || tap+r*t.XRow+p*16+ni > len(t.X) {
		panic("kernel: short gradient tile input")
	}
	if n*t.DYPlane+r*t.DYRow+p*16+(nb-1)*t.DY2+16 > len(t.DY) {
		panic("kernel: short gradient tile output gradient")
	}
	if n*t.DWTap+(nb-1)*t.DW2+ni*16 > len(t.DW) {
		panic("kernel: short gradient tile weights")
	}
}

// runImage adds the products of three input channels by one block, several taps at a time where
// that is possible.
func (t *GradTile) runImage() {
	taps, dw := t.Taps, t.DW
	for i, k := range active.gradTaps {
		n := len(t.Taps) / k.taps * k.taps
		if t.DYPlane != 0 || n == 0 || n < len(t.Taps) && i+1 < len(active.gradTaps) && len(t.Taps)%active.gradTaps[i+1].taps == 0 {
			continue // nine taps are three times three, not seven and two
		}
		left := t.Taps[n:]
		t.Taps = t.Taps[:n]
		t.check(3, 1)
		k.run(t)
		t.Taps, t.DW = left, t.DW[n*t.DWTap*min(1, len(left)):]
		if len(left) == 0 {
			break
		}
	}
	if len(t.Taps) > 0 {
		t.Run(3, 1)
	}
	t.Taps, t.DW = taps, dw
}

// RunBlock covers in input channels (16, or 3 for images) by ob blocks of 16 output channels. DY2
// and DW2 are the distances between consecutive blocks of output channels; X, DY and DW start at
// the first of each.
func (t *GradTile) RunBlock(in, ob int) {
	x, dy, dw := t.X, t.DY, t.DW
	if in <= 3 {
		for b := range ob {
			t.DY, t.DW = dy[b*t.DY2:], dw[b*t.DW2:]
			t.runImage()
		}
	} else {
		for b := 0; b < ob; {
			nb := 1
			if ob-b >= 2 && len(active.gradSplit[2]) > 0 {
				nb = 2
			}
			i := 0
			for _, ni := range active.gradSplit[nb] {
				t.X, t.DY, t.DW = x[i:], dy[b*t.DY2:], dw[b*t.DW2+i*16:]
				t.Run(ni, nb)
				i += ni
			}
			b += nb
		}
	}
	t.X, t.DY, t.DW = x, dy, dw
}
