package schedule

import (
	"gorgonia.org/gorgonia"

	"resnet/internal/graph"
	"resnet/internal/graph/kernel"
)

// shifted says how blocks of channels map to blocks shifted by some channels: piece i of block cb
// goes to block to, lane lane.
type piece struct{ from, fromLane, to, toLane, n int }

func pieces(channels, shift int) []piece {
	var ps []piece
	for ch := 0; ch < channels; {
		to := ch + shift
		n := min(channels-ch, block-ch%block, block-to%block)
		ps = append(ps, piece{ch / block, ch % block, to / block, to % block, n})
		ch += n
	}
	return ps
}

// shortcut lowers the parameter-free shortcut: every Stride-th pixel, zero channels around or
// behind.
func (c *compiler) shortcut(n *gorgonia.Node, op *graph.ShortcutPad) error {
	x := c.tensors[c.in[n][0]]
	t, err := c.blockedTensor(n)
	if err != nil {
		return err
	}
	from, to := c.blocked(x), t.lazy.x
	m := newStrides(op.ShortcutShape, t.h, t.w)
	c.add(&step{name: "shortcut", reads: []*value{from}, writes: []*value{to}, run: func(w *worker, _, first, n int) {
		for i := first; i < first+n; i++ {
			if to.narrow {
				moveStrided(m, w.halves(to, i, 0, to.per), w.halves(from, i, 0, from.per), false)
			} else {
				moveStrided(m, w.image(to, i), w.image(from, i), false)
			}
		}
	}})
	return nil
}

// strides is how pixels of the larger image of a shortcut and of the smaller one correspond.
type strides struct {
	ps              []piece
	h, w, oh, ow, u int
}

func newStrides(s graph.ShortcutShape, oh, ow int) strides {
	return strides{pieces(s.C, shiftOf(s)), s.H, s.W, oh, ow, s.Stride}
}

// moveStrided copies every stride-th pixel of a larger image to a smaller one, or back; what is not
// copied to is 0.
func moveStrided[T float32 | kernel.BFloat16](m strides, dst, src []T, back bool) {
	clear(dst)
	for _, p := range m.ps {
		large, small := p.from*m.h*m.w*block+p.fromLane, p.to*m.oh*m.ow*block+p.toLane
		for r := range m.oh {
			for q := range m.ow {
				from, to := large+(r*m.u*m.w+q*m.u)*block, small+(r*m.ow+q)*block
				if back {
					from, to = to, from
				}
				copy(dst[to:][:p.n], src[from:][:p.n])
			}
		}
	}
}

func shiftOf(s graph.ShortcutShape) int {
	if s.Sides {
		return (s.K - s.C) / 2
	}
	return 0
}

func (c *compiler) shortcutGrad(n *gorgonia.Node, op *graph.ShortcutPadGrad) error {
	dy := c.tensors[c.in[n][0]]
	t, err := c.blockedTensor(n)
	if err != nil {
		return err
	}
	from, to := c.blocked(dy), t.lazy.x
	m := newStrides(op.ShortcutShape, dy.h, dy.w)
	c.add(&step{name: "shortcut gradient", backward: true, reads: []*value{from}, writes: []*value{to}, run: func(w *worker, _, first, n int) {
		for i := first; i < first+n; i++ {
			if to.narrow {
				moveStrided(m, w.halves(to, i, 0, to.per), w.halves(from, i, 0, from.per), true)
			} else {
				moveStrided(m, w.image(to, i), w.image(from, i), true)
			}
		}
	}})
	return nil
}
