package schedule

import (
	"gorgonia.org/gorgonia"

	"resnet/internal/graph"
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
	ps := pieces(op.C, shiftOf(op.ShortcutShape))
	w, ow, oh, u := op.W, t.w, t.h, op.Stride
	c.add(&step{name: "shortcut", reads: []*value{from}, writes: []*value{to}, run: func(k *worker, _, first, n int) {
		src, dst := k.images(from, first, n), k.images(to, first, n)
		clear(dst)
		for i := range n {
			for _, p := range ps {
				s, d := src[i*from.per+p.from*op.H*w*block+p.fromLane:], dst[i*to.per+p.to*oh*ow*block+p.toLane:]
				for r := range oh {
					for q := range ow {
						copy(d[(r*ow+q)*block:][:p.n], s[(r*u*w+q*u)*block:][:p.n])
					}
				}
			}
		}
	}})
	return nil
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
	ps := pieces(op.C, shiftOf(op.ShortcutShape))
	w, ow, oh, u := op.W, dy.w, dy.h, op.Stride
	c.add(&step{name: "shortcut gradient", backward: true, reads: []*value{from}, writes: []*value{to}, run: func(k *worker, _, first, n int) {
		src, dst := k.images(from, first, n), k.images(to, first, n)
		clear(dst)
		for i := range n {
			for _, p := range ps {
				s, d := src[i*from.per+p.to*oh*ow*block+p.toLane:], dst[i*to.per+p.from*op.H*w*block+p.fromLane:]
				for r := range oh {
					for q := range ow {
						copy(d[(r*u*w+q*u)*block:][:p.n], s[(r*ow+q)*block:][:p.n])
					}
				}
			}
		}
	}})
	return nil
}
