package schedule_test

import (
	"math"
	"testing"

	"resnet/internal/graph"
)

// kink is how near the last step of the oracle came to where a derivative jumps: the least distance
// of an input of a ReLU, PReLU or ELU from 0, and of the two largest values of a max pooling's
// window from each other, relative to the root mean square of the tensor. Nearer than rounding
// reaches, it is left to chance on which side of the jump a machine is, and with it a visible part
// of a small net's gradients. Exact zeros and ties do not count: they come from a ReLU before, and
// no rounding moves them.
func kink(t *testing.T, tape *graph.Tape, g *graph.Graph) float64 {
	t.Helper()
	nearest := math.Inf(1)
	for _, n := range g.G.AllNodes() {
		if n.Op() == nil || !g.Forward(n) {
			continue
		}
		switch op := graph.OpOf(n).(type) {
		case *graph.ReLU, *graph.PReLU, *graph.ELU:
			x, scale := scaled(t, tape, graph.Children(n)[0])
			for _, v := range x {
				if v != 0 {
					nearest = min(nearest, math.Abs(v)/scale)
				}
			}
		case *graph.MaxPool:
			x, scale := scaled(t, tape, graph.Children(n)[0])
			for plane := range op.N * op.C {
				nearest = min(nearest, tie(x[plane*op.H*op.W:(plane+1)*op.H*op.W], op.PoolShape)/scale)
			}
		}
	}
	return nearest
}

// scaled is the values of a node and their root mean square.
func scaled(t *testing.T, tape *graph.Tape, n *graph.Node) (x []float64, rms float64) {
	t.Helper()
	x, err := tape.Value(n)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range x {
		rms += v * v
	}
	return x, math.Sqrt(rms / float64(len(x)))
}

// tie is the least distance of the two largest values of a window of a plane.
func tie(x []float64, s graph.PoolShape) float64 {
	nearest := math.Inf(1)
	for i := range s.OutH() {
		for j := range s.OutW() {
			first, second := math.Inf(-1), math.Inf(-1)
			for a := max(0, i*s.Stride-s.Pad); a < min(s.H, i*s.Stride-s.Pad+s.Kernel); a++ {
				for b := max(0, j*s.Stride-s.Pad); b < min(s.W, j*s.Stride-s.Pad+s.Kernel); b++ {
					v := x[a*s.W+b]
					if v > first {
						first, second = v, first
					} else if v < first {
						second = max(second, v)
					}
				}
			}
			nearest = min(nearest, first-second)
		}
	}
	return nearest
}
