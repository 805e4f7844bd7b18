package conv

// A TwoStageGrad is the Winograd weight gradient of a round of images in two stages: images are
// transformed into buffers that all workers share, then each unit computes the gradient of some
// weights over all tiles. No accumulator in the transformed domain leaves the cache; with a pass
// for each image the 36/9 of the weights would be read and written once an image.
type TwoStageGrad struct {
	g     *winogradGrad
	x, dy tiling
}

// Blocks of input and of output channels of a unit: as many sums as fit in the second-level cache
// beside a chunk of what they are taken of.
const (
	gradIn  = 2
	gradOut = 4
)

// NewTwoStageGrad returns the two stages of a weight gradient over n images, or nil where
// accumulators do as well.
func NewTwoStageGrad(w WeightGrad, n int, l Limits) *TwoStageGrad {
	g, ok := w.(*winogradGrad)
	if !ok || 36*g.s.C*g.s.K < l.Weights {
		return nil
	}
	s := &TwoStageGrad{g: g, x: newTiling(n, g.th, g.tw, max(blocks(g.s.C), blocks(g.s.K)), l)}
	s.dy = s.x
	s.x.cb, s.dy.cb = blocks(g.s.C), blocks(g.s.K)
	return s
}

// Round is the number of images of a round.
func (s *TwoStageGrad) Round() int { return s.x.Round }

// Lens are the lengths of the two buffers.
func (s *TwoStageGrad) Lens() (x, dy int) { return s.x.Len(), s.dy.Len() }

// Need is the scratch of both stages.
func (s *TwoStageGrad) Need() Need {
	return Need{M: gradIn * gradOut * 36 * block * block, Edge: 144 * block}
}

// Blocks is how many blocks of channels the first stage goes through, of the input and of the
// output's gradient.
func (s *TwoStageGrad) Blocks() (in, out int) { return s.x.cb, s.dy.cb }

// PrepareInput is the first stage for block cb of the input of image img of the round, and
// PrepareOutputGrad for block kb of the output's gradient. plane is that block of a padded image.
func (s *TwoStageGrad) PrepareInput(k *Work, v, plane []float32, img, cb int) {
	g := s.g
	s.x.input(k, g.in, g.s.PadH, g.s.PadW, v, plane, img, cb)
}

// PrepareOutputGrad is like PrepareInput.
func (s *TwoStageGrad) PrepareOutputGrad(k *Work, v, plane []float32, img, kb int) {
	g, t := s.g, &k.trans
	t.SrcRow, t.Step, t.Plane, t.Tiles = g.dy.Row(), 4*g.dy.Row(), s.dy.plane(), g.tw
	s.dy.each(img, func(c, first, n, at int) {
		t.Rows, t.Src = n, plane[g.dy.at(0, first*4+g.dy.Top, g.dy.Left):]
		t.Dst = v[c*s.dy.chunkLen()+kb*36*s.dy.plane()+at*block:]
		t.Spread()
	})
}

func (s *TwoStageGrad) groups() (in, out int) {
	return (s.x.cb + gradIn - 1) / gradIn, (s.dy.cb + gradOut - 1) / gradOut
}

// Units says in how many independent parts the second stage can be done.
func (s *TwoStageGrad) Units() int {
	in, out := s.groups()
	return in * out
}

// Compute is unit u of the second stage for a round of n images: it writes (or adds) its part of
// the gradient to dw [K, C, 3, 3].
func (s *TwoStageGrad) Compute(k *Work, vx, vy []float32, n, u int, dw []float32, accumulate bool) {
	const unit = 36 * block * block
	_, out := s.groups()
	c0, o0 := u/out*gradIn, u%out*gradOut
	nc, no := min(gradIn, s.x.cb-c0), min(gradOut, s.dy.cb-o0)
	sums := k.m[:nc*no*unit]
	clear(sums)
	w, plane := &k.grad, s.x.plane()
	for chunk := range s.x.chunks() {
		from, to := s.x.span(chunk, n)
		if from == to {
			break
		}
		w.Taps, w.Pixels, w.Rows = oneTap, (to-from)*s.g.tw, 1
		w.DYPlane, w.DY2 = 0, 36*plane
		w.DWTap, w.DW2 = 0, unit
		// What all blocks need of one of the 36 products stays in the first-level cache.
		for p := range 36 {
			for c := range nc {
				w.X = vx[chunk*s.x.chunkLen()+((c0+c)*36+p)*plane:]
				w.DY = vy[chunk*s.dy.chunkLen()+(o0*36+p)*plane:]
				w.DW = sums[c*no*unit+p*block*block:]
				w.RunBlock(block, no)
			}
		}
	}
	for c := range nc {
		for o := range no {
			s.g.gather(k, sums[(c*no+o)*unit:][:unit], c0+c, o0+o, 0, block, dw, accumulate)
		}
	}
}
