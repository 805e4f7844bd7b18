package kernel

import (
	"fmt"
	"strings"
)

// BF16Tile is a direct convolution of bfloat16 values with float32 sums: strips of np pixels by nb
// blocks of 16 output channels, held in registers while all taps go by. A tap is 32 values of each
// pixel: two blocks of input channels, or one block of two neighbours.
//
//	for (x, y) in At, i < np, b < nb, o < 16:
//		Y[y + i·YPixel + b·Y2 + o] = Σ over t, c < 32:
//			X[x + Taps[t] + i·XPixel + c] · W[b·W2 + t·512 + (c/2)·32 + o·2 + c%2]
//
// Lengths and offsets are in values. Denormal values may count as zero.
type BF16Tile struct {
	X, W           []BFloat16
	Y              []float32
	Taps           []int
	At             []int // of each strip: where it begins in X, and in Y
	XPixel, YPixel int
	W2, Y2         int // offsets of the second block of output channels
	config         *[64]byte
	last           [8]int
}

// BF16Tap is the number of weights of a tap and a block of output channels.
const BF16Tap = 32 * Lanes

// BF16Strip is the largest np.
const BF16Strip = 16

// BF16Pixels is how many pixels a strip should have that rows of so many are divided into; the last
// strip of a row may overlap the one before. The bits of a pixel are the same in every strip.
func BF16Pixels(width int) int { return activeBF16.strip(width) }

// Run computes the strips, np pixels by nb blocks each: np by BF16Pixels, nb = 1 or 2.
func (t *BF16Tile) Run(np, nb int) {
	if np < 1 || np > BF16Strip || nb < 1 || nb > 2 || len(t.Taps) == 0 || len(t.At)%2 != 0 || min(t.XPixel, t.YPixel, t.W2, t.Y2) < 0 {
		panic("kernel: bad tile")
	}
	if len(t.At) == 0 {
		return
	}
	low, high := bounds(t.Taps, 1)
	x0, x1 := bounds(t.At, 2)
	y0, y1 := bounds(t.At[1:], 2)
	if low+x0 < 0 || x1+high+(np-1)*t.XPixel+32 > len(t.X) {
		panic("kernel: short tile input")
	}
	if (nb-1)*t.W2+len(t.Taps)*BF16Tap > len(t.W) {
		panic("kernel: short tile weights")
	}
	if y0 < 0 || y1+(np-1)*t.YPixel+(nb-1)*t.Y2+Lanes > len(t.Y) {
		panic("kernel: short tile output")
	}
	activeBF16.tile(t, np, nb)
}

// bounds are the least and the largest of every so many values.
func bounds(v []int, step int) (low, high int) {
	low, high = v[0], v[0]
	for i := step; i < len(v); i += step {
		low, high = min(low, v[i]), max(high, v[i])
	}
	return low, high
}

// BF16Grad adds the outer products of a weight gradient of bfloat16 values: sums over pixels, of 16
// input channels, each with its pixels side by side, and nb blocks of 16 output channels, in pairs
// of pixels.
//
//	for (x, w) in At, b < nb, i < 16, o < 16:
//		DW[w + b·DW2 + i·16 + o] +=
//			Σ over p < 32·Steps: X[x + i·XRow + p] · DY[b·DY2 + (p/2)·32 + o·2 + p%2]
type BF16Grad struct {
	X, DY    []BFloat16
	DW       []float32
	At       []int // of each tap and block of input channels: where it begins in X, and in DW
	XRow     int
	Steps    int
	DY2, DW2 int
	config   *[64]byte
	last     [8]int
}

// BF16Step is the number of pixels of a step.
const BF16Step = 32

// Run adds the products of nb blocks, nb = 1 or 2.
func (t *BF16Grad) Run(nb int) {
	if nb < 1 || nb > 2 || t.Steps < 1 || len(t.At)%2 != 0 || min(t.XRow, t.DY2, t.DW2) < 0 {
		panic("kernel: bad gradient tile")
	}
	if len(t.At) == 0 {
		return
	}
	x0, x1 := bounds(t.At, 2)
	w0, w1 := bounds(t.At[1:], 2)
	if x0 < 0 || x1+15*t.XRow+t.Steps*BF16Step > len(t.X) {
		panic("kernel: short gradient tile input")
	}
	if (nb-1)*t.DY2+t.Steps*BF16Step*Lanes > len(t.DY) {
		panic("kernel: short gradient tile output gradient")
	}
	if w0 < 0 || w1+(nb-1)*t.DW2+Lanes*Lanes > len(t.DW) {
		panic("kernel: short gradient tile weights")
	}
	activeBF16.grad(t, nb)
}

// Joined rounds vectors of 16 values to bfloat16 and joins them in twos: vector n of X and of X2,
// Step values behind the one before, become 32 values of Y.
//
//	Concat:     Y[n·32 + c] = X[n·Step + c],   Y[n·32 + 16 + c] = X2[n·Step + c]
//	Interleave: Y[n·32 + c·2] = X[n·Step + c], Y[n·32 + c·2 + 1] = X2[n·Step + c]
type Joined struct {
	X, X2 []float32
	Y     []BFloat16
	N     int
	Step  int
}

func (j *Joined) check() bool {
	if j.N < 1 {
		return false
	}
	if j.Step < 0 || (j.N-1)*j.Step+Lanes > min(len(j.X), len(j.X2)) || j.N*2*Lanes > len(j.Y) {
		panic("kernel: short vectors to join")
	}
	return true
}

// Concat puts the vectors behind each other.
func (j *Joined) Concat() {
	if j.check() {
		activeBF16.concat(j)
	}
}

// Interleave mixes their values.
func (j *Joined) Interleave() {
	if j.check() {
		activeBF16.interleave(j)
	}
}

// Transposed rounds pixels of 16 channels to bfloat16 and puts those of each channel side by side,
// 32 at a time: Y[c·YRow + p] = X[p·16 + c] for p < 32·Steps.
type Transposed struct {
	X     []float32
	Y     []BFloat16
	Steps int
	YRow  int
}

// Run transposes.
func (t *Transposed) Run() {
	if t.Steps < 1 {
		return
	}
	n := t.Steps * BF16Step
	if n*Lanes > len(t.X) || t.YRow < 0 || 15*t.YRow+n > len(t.Y) {
		panic("kernel: short pixels to transpose")
	}
	activeBF16.transpose(t)
}

// Gathered rounds values of up to 16 lanes to bfloat16, in twos: weights in the order of BF16Tile.
//
//	Y[n·32 + lane·2 + h] = X[lane·Lane + (2·n + h)·Step] for n < N, lane < Lanes
//
// Other lanes get 0.
type Gathered struct {
	X          []float32
	Y          []BFloat16
	N          int
	Lane, Step int
	Lanes      int
}

// Run gathers.
func (g *Gathered) Run() {
	if g.N < 1 {
		return
	}
	if g.Lanes < 1 || g.Lanes > Lanes || g.Lane < 0 || g.Step < 0 || g.Lane > 1<<26 ||
		(g.Lanes-1)*g.Lane+(2*g.N-1)*g.Step >= len(g.X) || g.N*32 > len(g.Y) {
		panic("kernel: short values to gather")
	}
	activeBF16.gather(g)
}

// Mixed rounds rows of up to four channels to bfloat16 and mixes them: Y[n·4 + c] = X[c][n] for n <
// N, and 0 for a channel that is nil.
type Mixed struct {
	X    [4][]float32
	Y    []BFloat16
	N    int
	step [4]int // bytes from 16 pixels to the next; 0 of a channel that is nil
}

// Run mixes.
func (m *Mixed) Run() {
	if m.N < 0 || 4*m.N > len(m.Y) {
		panic("kernel: short result to mix")
	}
	for c, x := range m.X {
		if m.step[c] = 4 * Lanes; x == nil {
			m.X[c], m.step[c] = noChannel[:], 0
		} else if len(x) < m.N {
			panic("kernel: short row to mix")
		}
	}
	if m.N >= Lanes {
		activeBF16.mix(m)
	}
	m.rest(m.N &^ (Lanes - 1))
}

var noChannel Vec

// rest mixes the pixels from the given one on.
func (m *Mixed) rest(from int) {
	for c, x := range m.X {
		for n := from; n < m.N; n++ {
			if m.step[c] == 0 {
				m.Y[4*n+c] = 0
			} else {
				m.Y[4*n+c] = ToBFloat16(x[n])
			}
		}
	}
}

// bf16Kernels are an instruction set's kernels of bfloat16.
type bf16Kernels struct {
	name       string
	tiles      bool
	strip      func(width int) int
	tile       func(t *BF16Tile, np, nb int)
	grad       func(t *BF16Grad, nb int)
	concat     func(*Joined)
	interleave func(*Joined)
	transpose  func(*Transposed)
	gather     func(*Gathered)
	mix        func(*Mixed) // whole groups of 16 pixels
}

var (
	availableBF16 = append(detectBF16(), genericBF16) // best first
	activeBF16    = availableBF16[0]
)

// BF16 reports whether there are such kernels in assembly, so that it is worth to round.
func BF16() bool { return activeBF16 != genericBF16 }

// WholeTiles reports whether a product of tiles is many times as fast as one in float32, not twice,
// so that it pays for zeros among the values and leaves no gain to Winograd's algorithm.
func WholeTiles() bool { return activeBF16.tiles }

// ActiveBF16 names the kernels of bfloat16 in use: amx, avx512_bf16 or generic.
func ActiveBF16() string { return activeBF16.name }

// AvailableBF16 lists the kernels of bfloat16 that this build has and this CPU can run, best first.
func AvailableBF16() []string {
	names := make([]string, len(availableBF16))
	for i, h := range availableBF16 {
		names[i] = h.name
	}
	return names
}

// UseBF16 chooses kernels of bfloat16 by name, as Use does others.
func UseBF16(name string) error {
	for _, h := range availableBF16 {
		if h.name == name {
			activeBF16 = h
			return nil
		}
	}
	return fmt.Errorf("kernel: no kernels of bfloat16 %q on this CPU: use one of %s", name, strings.Join(AvailableBF16(), ", "))
}
