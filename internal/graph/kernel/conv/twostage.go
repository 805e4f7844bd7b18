package conv

import "resnet/internal/graph/kernel"

// A TwoStage computes a Winograd convolution of a round of images in two stages with a barrier
// between them: images are transformed one by one into a buffer that all workers share, then groups
// of output channels are computed for many tiles of many images. It is for layers with many weights
// and few tiles: what is transformed is 36/9 of the weights, more than a cache holds, and with a
// pass for each image it would be read from memory for four or sixteen tiles at a time.
type TwoStage struct {
	w *winograd
	tiling
	group int // output blocks of a unit
}

// Limits say which layers a TwoStage is for, those with at least so many weights in the transformed
// domain, and bound it: the most tiles that are multiplied together, and the most transformed
// values of a round of images. Work is how many multiply-adds of an image are worth barriers
// between workers where there are fewer images than workers.
type Limits struct {
	Weights, Tiles, Round int
	Work                  int64
}

// DefaultLimits are the ones that did best: weights larger than the second-level cache, tiles
// enough to amortise reading them, a round that leaves the third-level cache room for them.
var DefaultLimits = Limits{Weights: 1 << 20, Tiles: 64, Round: 36 * 256 * 256, Work: 4 << 20}

// IntraImage are the limits for a layer that is divided within images: it is always computed in two
// stages, and with few weights in shorter chunks of tiles, so that there are enough of them.
func (l Limits) IntraImage(s Shape) Limits {
	if 36*s.C*s.K < l.Weights {
		l.Tiles = min(l.Tiles, tilesPerPass)
	}
	l.Weights = 1
	return l
}

// NewTwoStage returns the two stages of a pass over n images, or nil where one pass for each
// worker's images does as well.
func NewTwoStage(p Pass, n int, l Limits) *TwoStage {
	w, ok := p.(*winograd)
	if !ok || 36*w.s.C*w.s.K < l.Weights {
		return nil
	}
	s := &TwoStage{w: w, tiling: newTiling(n, w.th, w.tw, max(blocks(w.s.C), blocks(w.s.K)), l)}
	s.cb = blocks(w.s.C)
	s.group = 4
	if ob := blocks(w.s.K); s.chunks()*((ob+3)/4) < 16 {
		s.group = 2
	}
	return s
}

// tiling is where the transformed tiles of a round of images lie: [chunk][channel
// block][36][tile][16].
type tiling struct {
	Round  int // images of a round
	th, tw int // tiles of an image
	rows   int // rows of tiles of a chunk
	cb     int
}

func newTiling(n, th, tw, cb int, l Limits) tiling {
	most := max(1, l.Round/(36*th*tw*cb*block))
	rounds := (n + most - 1) / most
	t := tiling{Round: (n + rounds - 1) / rounds, th: th, tw: tw, cb: cb}
	t.rows = rowsPerPass(t.Round*th, tw, l.Tiles)
	return t
}

// Len is the length of the buffer.
func (t *tiling) Len() int { return t.chunks() * t.chunkLen() }

func (t *tiling) chunks() int { return (t.Round*t.th + t.rows - 1) / t.rows }

func (t *tiling) plane() int { return t.rows*t.tw*block + planePad }

func (t *tiling) chunkLen() int { return t.cb * 36 * t.plane() }

// span is the rows of tiles of chunk c of a round of n images; none where they have ended.
func (t *tiling) span(c, n int) (from, to int) {
	to = min((c+1)*t.rows, n*t.th)
	return min(c*t.rows, to), to
}

// each calls f for the parts of an image in chunks: rows of tiles [first, first+n), which begin at
// tile at of the chunk.
func (t *tiling) each(img int, f func(chunk, first, n, at int)) {
	for q := img * t.th; q < (img+1)*t.th; {
		c := q / t.rows
		n := min((img+1)*t.th, (c+1)*t.rows) - q
		f(c, q-img*t.th, n, (q-c*t.rows)*t.tw)
		q += n
	}
}

// input transforms block cb of the channels of a padded image, image img of the round. plane is
// that block alone.
func (t *tiling) input(k *Work, in *Padded, padH, padW int, v, plane []float32, img, cb int) {
	f := &k.trans
	f.SrcRow, f.Step, f.Plane, f.Tiles = in.Row(), 4*in.Row(), t.plane(), t.tw
	t.each(img, func(c, first, n, at int) {
		f.Rows, f.Src = n, plane[in.at(0, first*4+in.Top-padH, in.Left-padW):]
		f.Dst = v[c*t.chunkLen()+cb*36*t.plane()+at*block:]
		f.Input()
	})
}

// PrepareBlock is the first stage for a block of channels of image img of the round. plane is that
// block of the padded image.
func (s *TwoStage) PrepareBlock(k *Work, v, plane []float32, img, cb int) {
	s.input(k, s.w.in, s.w.s.PadH, s.w.s.PadW, v, plane, img, cb)
}

// Chunks is the number of ranges of tiles that are multiplied together; Pixels says how many output
// pixels of a channel a chunk of a round of n images has.
func (s *TwoStage) Chunks() int { return s.chunks() }

// Pixels counts the pixels of chunk c.
func (s *TwoStage) Pixels(c, n int) int {
	from, to := s.span(c, n)
	pixels := 0
	eachImage(from, to, s.w.th, s.w.tw, func(_, first, n, _ int) {
		pixels += (min((first+n)*4, s.w.s.OH()) - first*4) * s.w.s.OW()
	})
	return pixels
}

// Units says in how many independent parts the second stage can be done: unit u belongs to chunk u
// mod Chunks.
func (s *TwoStage) Units() int { return s.chunks() * s.groups() }

func (s *TwoStage) groups() int { return (blocks(s.w.s.K) + s.group - 1) / s.group }

// Input is the layout of the padded images.
func (s *TwoStage) Input() *Padded { return s.w.in }

// Need is the scratch of both stages.
func (s *TwoStage) Need() Need {
	t, rows := s.rows*s.tw, s.rows*4
	return Need{M: 36 * (t*2*block + planePad), Edge: 144*block + 4*4*s.tw*block, Out: min(rows, 4*s.th) * s.w.s.OW() * block}
}

// Compute is unit u of the second stage for a round of n images. It calls f for each part of the
// result as it is done: pixels from the given one of block ob of the output channels of image img;
// fresh marks the first part of a chunk.
func (s *TwoStage) Compute(k *Work, v []float32, n, u int, packed []float32, f func(img, ob, from int, fresh bool, y []float32)) {
	c := u % s.chunks()
	from, to := s.span(c, n)
	if from == to {
		return
	}
	w, tiles, plane := s.w, (to-from)*s.tw, s.plane()
	first := u / s.chunks() * s.group
	for o, end := first, min(first+s.group, blocks(w.s.K)); o < end; {
		nb := kernel.Blocks(end - o)
		mPlane := tiles*nb*block + planePad
		t := &k.tile
		t.Taps = k.tapsApart(s.cb, 36*plane)
		t.In, t.YPixel, t.Planes = block, block, 36
		t.X, t.XPlane = v[c*s.chunkLen():(c+1)*s.chunkLen()], plane
		t.W, t.WPlane, t.W2 = packed[o*36*w.plane():], w.plane(), 36*w.plane()
		t.Y, t.YPlane, t.Y2 = k.m, mPlane, tiles*block
		t.RunFlat(tiles, nb)
		for b := range nb {
			eachImage(from, to, s.th, s.tw, func(img, row, rows, at int) {
				y := w.rowsBack(k, k.m[(b*tiles+at)*block:], row, rows, mPlane)
				f(img, o+b, row*4*w.s.OW(), at == 0, y)
			})
		}
		o += nb
	}
}

// rowsBack transforms rows of tiles of an image back to pixels, in the worker's own buffer.
func (w *winograd) rowsBack(k *Work, m []float32, first, n, plane int) []float32 {
	oh, ow := w.s.OH(), w.s.OW()
	t := &k.trans
	t.Plane, t.Tiles = plane, w.tw
	y := k.out[:(min((first+n)*4, oh)-first*4)*ow*block]
	if ow%4 == 0 && len(y) == n*4*ow*block {
		t.Src, t.Dst, t.SrcRow, t.Step, t.Rows = m, y, ow*block, 4*ow*block, n
		t.Output()
		return y
	}
	t.Dst, t.SrcRow, t.Rows = k.edge, 4*w.tw*block, 1
	for q := range n {
		t.Src = m[q*w.tw*block:]
		t.Output()
		for r := range min(4, oh-(first+q)*4) {
			copy(y[(q*4+r)*ow*block:][:ow*block], k.edge[r*t.SrcRow:])
		}
	}
	return y
}
