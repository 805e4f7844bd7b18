package kernel

// DotTile adds dot products of rows: the forward pass of a fully connected layer, whose weights are
// read as they are, row after row.
//
//	Y[i·YRow + j] += Σ over c < Len: X[i·XRow + c] · W[j·WRow + c],  i < ni, j < nj
type DotTile struct {
	X, W, Y          []float32
	XRow, WRow, YRow int
	Len              int // of the rows, a multiple of 16
}

// dotWeights is the number of rows of weights that the larger kernels take together.
const dotWeights = 4

// Run adds ni × nj products, ni at most DotRows(), nj 1 or 4.
func (t *DotTile) Run(ni, nj int) {
	if t.Len < 16 || t.Len%16 != 0 || min(t.XRow, t.WRow, t.YRow) < 0 {
		panic("kernel: bad dot tile")
	}
	if (ni-1)*t.XRow+t.Len > len(t.X) || (nj-1)*t.WRow+t.Len > len(t.W) || (ni-1)*t.YRow+nj > len(t.Y) {
		panic("kernel: short dot tile")
	}
	if nj == 1 {
		active.dot[0][ni](t)
	} else {
		active.dot[1][ni](t)
	}
}

// DotRows is the largest ni of DotTile.
func DotRows() int { return len(active.dot[0]) - 1 }

// RunAll adds the products of all n rows of X and k rows of W, of any length Len. A block of
// weights is read from memory once.
func (t *DotTile) RunAll(n, k int) {
	x, w, y, length := t.X, t.W, t.Y, t.Len
	whole := length &^ 15
	for from := 0; from < whole; {
		t.Len = min(dotChunk, whole-from)
		for j := 0; j < k; {
			nj := 1
			if k-j >= dotWeights {
				nj = dotWeights
			}
			for i := 0; i < n; {
				ni := split(n-i, DotRows())
				t.X, t.W, t.Y = x[i*t.XRow+from:], w[j*t.WRow+from:], y[i*t.YRow+j:]
				t.Run(ni, nj)
				i += ni
			}
			j += nj
		}
		from += t.Len
	}
	for i := range n {
		for j := range k {
			sum := float32(0)
			for c := whole; c < length; c++ {
				sum += x[i*t.XRow+c] * w[j*t.WRow+c]
			}
			y[i*t.YRow+j] += sum
		}
	}
	t.X, t.W, t.Y, t.Len = x, w, y, length
}

// dotChunk is the part of the rows that is worked on at a time: four rows of weights in the
// first-level cache, some tens of rows of X in the second.
const dotChunk = 2048

// split takes a part of n of at most so many, so that the parts are of nearly equal length.
func split(n, most int) int {
	parts := (n + most - 1) / most
	return (n + parts - 1) / parts
}

// RowTile computes sums of rows: the two gradients of a fully connected layer.
//
//	for i < ni, c < 16·Vecs:
//		Y[i·YRow + c] = Y[i·YRow + c]·(Load≠0) +
//			Σ over j < Inner: A[i·ARow + j·ACol] · X[j·XRow + c]
type RowTile struct {
	A, X, Y     []float32
	ARow, ACol  int
	XRow, YRow  int
	Inner, Vecs int
	Load        int
}

// Run computes ni rows, at most Rows().
func (t *RowTile) Run(ni int) {
	if t.Inner < 1 || t.Vecs < 1 || min(t.ARow, t.ACol, t.XRow, t.YRow) < 0 {
		panic("kernel: bad row tile")
	}
	if (ni-1)*t.ARow+(t.Inner-1)*t.ACol+1 > len(t.A) || (t.Inner-1)*t.XRow+t.Vecs*16 > len(t.X) || (ni-1)*t.YRow+t.Vecs*16 > len(t.Y) {
		panic("kernel: short row tile")
	}
	active.rows[ni](t)
}

// Rows is the largest ni of RowTile.
func Rows() int { return len(active.rows) - 1 }

// RunAll computes n rows of any length. Load says as in Run whether what is there is kept.
func (t *RowTile) RunAll(n, length int) {
	a, y := t.A, t.Y
	t.Vecs = length / 16
	for i := 0; i < n && t.Vecs > 0; {
		ni := split(n-i, Rows())
		t.A, t.Y = a[i*t.ARow:], y[i*t.YRow:]
		t.Run(ni)
		i += ni
	}
	t.A, t.Y = a, y
	if t.Vecs*16 == length {
		return
	}
	for i := range n {
		for c := t.Vecs * 16; c < length; c++ {
			sum := float32(0)
			if t.Load != 0 {
				sum = y[i*t.YRow+c]
			}
			for j := range t.Inner {
				sum += a[i*t.ARow+j*t.ACol] * t.X[j*t.XRow+c]
			}
			y[i*t.YRow+c] = sum
		}
	}
}
