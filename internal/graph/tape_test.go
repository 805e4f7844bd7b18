package graph

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gorgonia.org/tensor"
)

// smallNet is a residual net with two blocks: an identity shortcut and, where the shape changes, the one that shortcut draws.
func smallNet(t *testing.T, mode Mode, dtype tensor.Dtype, params *ParamSet, shortcut func(b *Builder, x *Node) *Node) *Graph {
	t.Helper()
	b := NewBuilder("small", mode, params, Options{Dtype: dtype})
	conv := func(b *Builder, name string, x *Node, filters, stride int) *Node {
		return b.BatchNorm("bn"+name, b.Conv("conv"+name, x, ConvOpts{Filters: filters, Kernel: 3, Stride: stride, Pad: 1}))
	}
	x := b.ReLU(conv(b, "1", b.Input(3, 2, 7, 6), 4, 1))
	l1 := b.In("layer1.0")
	x = l1.ReLU(l1.Add(conv(l1, "2", l1.ReLU(conv(l1, "1", x, 4, 1)), 4, 1), x))
	l2 := b.In("layer2.0")
	x = l2.ReLU(l2.Add(conv(l2, "2", l2.ReLU(conv(l2, "1", x, 6, 2)), 6, 1), shortcut(l2, x)))
	g, err := b.Finish(b.Linear("fc", b.GlobalAvgPool(x), 5))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func padSides(b *Builder, x *Node) *Node { return b.In("shortcut").ShortcutPad(x, 6, 2, true) }

func projection(b *Builder, x *Node) *Node {
	d := b.In("downsample")
	return d.BatchNorm("1", d.Conv("0", x, ConvOpts{Filters: 6, Kernel: 1, Stride: 2}))
}

func smallBatch() (x []float32, labels []int32) {
	r := rand.New(rand.NewPCG(3, 4))
	x = make([]float32, 3*2*7*6)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x, []int32{0, 4, 2}
}

// The gradients that Gorgonia's graph yields through two residual joins are those of the loss: central differences in float64.
// The step must be exact in float32, in which parameters are kept.
func TestTapeGradientsOfAResidualNetMatchCentralDifferences(t *testing.T) {
	for name, shortcut := range map[string]func(*Builder, *Node) *Node{"A": padSides, "B": projection} {
		t.Run(name, func(t *testing.T) {
			params := NewParamSet(7)
			g := smallNet(t, Train, tensor.Float64, params, shortcut)
			tape, err := NewTape(g, params)
			if err != nil {
				t.Fatal(err)
			}
			defer tape.Close()
			x, labels := smallBatch()
			if _, err := tape.Train(x, labels, StepOptions{}); err != nil {
				t.Fatal(err)
			}
			grads := map[string][]float32{}
			for _, p := range params.All() {
				grads[p.Name] = slices.Clone(p.Grad)
			}
			loss := func() float64 {
				r, err := tape.Train(x, labels, StepOptions{ForwardOnly: true})
				if err != nil {
					t.Fatal(err)
				}
				return r.Loss
			}
			for _, p := range params.All() {
				if !p.Trainable() {
					continue
				}
				for _, i := range []int{0, len(p.Data) / 2, len(p.Data) - 1} {
					old := p.Data[i]
					up, down := old+1e-5, old-1e-5
					p.Data[i] = up
					high := loss()
					p.Data[i] = down
					low := loss()
					p.Data[i] = old
					want := (high - low) / (float64(up) - float64(down))
					got := float64(grads[p.Name][i])
					if math.Abs(got-want) > 1e-6+1e-5*math.Abs(want) {
						t.Errorf("%s[%d]: gradient %g, central difference %g", p.Name, i, got, want)
					}
				}
			}
		})
	}
}
