package kernel

// Transform is one transform of Winograd's algorithm F(4×4, 3×3) (Lavin and Gray 2015, section 4.3)
// on vectors of 16 channels. The transformed domain is 36 planes, Plane apart; successive tiles are
// successive vectors of a plane.
//
//	Input:  Src is an image, rows SrcRow apart; tile n reads 6×6 pixels d from column 4n;
//	        Dst[p·Plane + n·16] = (Bᵀ d B)[p]
//	Spread: Src is an image; tile n reads 4×4 pixels d from column 4n;
//	        Dst[p·Plane + n·16] = (A d Aᵀ)[p]
//	Output: Src[p·Plane + n·16] is m; Dst is an image, rows SrcRow apart; tile n writes 4×4 pixels
//	        at column 4n: Aᵀ m A
//	Filter: Src[n·144 + tap·16], 9 taps; Dst[p·Plane + n·16] = (G g Gᵀ)[p]
//	Gather: Src[p·Plane + n·16]; Dst[n·144 + tap·16] = (Gᵀ m G)[tap]
type Transform struct {
	Src, Dst []float32
	SrcRow   int
	Plane    int
	Tiles    int
	// Rows are the rows of tiles of an image, Step apart; in the transformed domain they are
	// consecutive. It is 1 for filters.
	Rows int
	Step int
	buf  [36*16 + 16]float32 // between the two passes of the assembly; it aligns itself
}

// check panics where an implementation would read or write outside of Src and Dst.
func (t *Transform) check(src, dst int) {
	if t.Tiles < 1 || t.Rows < 1 || min(t.SrcRow, t.Plane, t.Step) < 0 || src > len(t.Src) || dst > len(t.Dst) {
		panic("kernel: short transform")
	}
}

func (t *Transform) planes() int { return 35*t.Plane + t.Rows*t.Tiles*16 }

// Input transforms 6×6 tiles of an image.
func (t *Transform) Input() {
	t.check((t.Rows-1)*t.Step+5*t.SrcRow+(t.Tiles-1)*64+96, t.planes())
	active.winoInput(t)
}

// Spread transforms 4×4 tiles of the gradient of an output.
func (t *Transform) Spread() {
	t.check((t.Rows-1)*t.Step+3*t.SrcRow+t.Tiles*64, t.planes())
	active.winoSpread(t)
}

// Output transforms back to 4×4 tiles of an image.
func (t *Transform) Output() {
	t.check(t.planes(), (t.Rows-1)*t.Step+3*t.SrcRow+t.Tiles*64)
	active.winoOutput(t)
}

// Filter transforms 3×3 filters.
func (t *Transform) Filter() {
	t.check(t.Rows*t.Tiles*144, t.planes())
	active.winoFilter(t)
}

// Gather transforms sums in the transformed domain to weight gradients.
func (t *Transform) Gather() {
	t.check(t.planes(), t.Rows*t.Tiles*144)
	active.winoGather(t)
}
