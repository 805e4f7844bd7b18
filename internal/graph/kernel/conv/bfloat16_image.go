package conv

import "resnet/internal/graph/kernel"

// BF16Image is the first convolution of a network, of images of up to four channels, with values of
// bfloat16. The images come as they are, row-major, and are rounded to [row][pixel][4] with their
// margins, so that a tap of 32 values is eight pixels of a kernel row, whatever the stride.
type BF16Image struct {
	s      Shape
	taps   []int
	pixels int // of a padded row
	rows   int // of a part
}

const (
	imageChannels = 4
	imageTap      = 2 * block / imageChannels // pixels
)

// NewBF16Image returns the convolution, or nil for other shapes and without its kernels.
func NewBF16Image(s Shape) *BF16Image {
	if s.C > imageChannels || s.S > imageTap || s.Groups > 1 || !kernel.BF16() {
		return nil
	}
	f := &BF16Image{s: s, pixels: max(s.W+s.PadW, (s.OW()-1)*s.ColStride()+imageTap)}
	f.rows = min(s.OH(), max(1, partLen/(2*s.OW()*block)))
	for r := range s.R {
		f.taps = append(f.taps, r*f.pixels*imageChannels)
	}
	return f
}

// PackedLen is in float32 values, which hold two weights each.
func (f *BF16Image) PackedLen() int { return blocks(f.s.K) * f.size() / 2 }

// size is how many weights a block of output channels has.
func (f *BF16Image) size() int { return len(f.taps) * kernel.BF16Tap }

// PackUnits says in how many independent parts Pack can be done.
func (f *BF16Image) PackUnits() int { return blocks(f.s.K) }

// Pack writes block ob of outputs: [kernel row][pair of values][16][2], a value for each channel of
// eight pixels.
func (f *BF16Image) Pack(_ *Work, ob int, packed, w []float32) {
	dst := kernel.BFloat16s(packed)[ob*f.size() : (ob+1)*f.size()]
	clear(dst)
	s := f.s
	for lane := range min(block, s.K-ob*block) {
		for c := range s.C {
			for r := range s.R {
				for q := range s.S {
					v := w[(((ob*block+lane)*s.C+c)*s.R+r)*s.S+q]
					i := q*imageChannels + c
					dst[r*kernel.BF16Tap+i/2*32+lane*2+i%2] = kernel.ToBFloat16(v)
				}
			}
		}
	}
}

// Need is the scratch of an image; n is as of other passes.
func (f *BF16Image) Need(int) Need {
	// Behind the last row a tap may read on.
	return Need{
		BF16: ((f.rows-1)*f.s.Stride+f.s.R)*f.pixels*imageChannels + 2*block,
		Out:  2 * f.rows * f.s.OW() * block,
	}
}

// Units says in how many independent parts an image can be done.
func (f *BF16Image) Units() int { return (f.s.OH() + f.rows - 1) / f.rows }

// Compute is unit u of an image x [C, H, W]: it calls g for each part of the result as it is done,
// pixels from the given one of block ob of the output channels.
func (f *BF16Image) Compute(k *Work, x []float32, u int, packed []float32, g func(ob, from int, y []float32)) {
	s, t := f.s, &k.bf16Tile
	row := u * f.rows
	rows := min(f.rows, s.OH()-row)
	f.round(k, x, row*s.Stride-s.PadH, (rows-1)*s.Stride+s.R)
	np := kernel.BF16Pixels(s.OW())
	k.at = k.at[:0]
	for r := range rows {
		for c := 0; c < s.OW(); c += np {
			c := min(c, s.OW()-np)
			k.at = append(k.at, (r*s.Stride*f.pixels+c*s.ColStride())*imageChannels, (r*s.OW()+c)*block)
		}
	}
	plane := rows * s.OW() * block
	t.X, t.Y, t.Taps, t.At = k.bf16, k.out, f.taps, k.at
	t.XPixel, t.YPixel, t.W2, t.Y2 = s.ColStride()*imageChannels, block, f.size(), plane
	for ob := 0; ob < blocks(s.K); ob += 2 {
		t.W = kernel.BFloat16s(packed)[ob*f.size():]
		nb := min(2, blocks(s.K)-ob)
		t.Run(np, nb)
		for b := range nb {
			g(ob+b, row*s.OW(), k.out[b*plane:(b+1)*plane])
		}
	}
}

// round rounds so many rows of an image from the given one on; those outside it are margins.
func (f *BF16Image) round(k *Work, x []float32, first, rows int) {
	s, m := f.s, &k.mixed
	size := f.pixels * imageChannels
	for i := range rows {
		to := k.bf16[i*size : (i+1)*size]
		h := first + i
		if h < 0 || h >= s.H {
			clear(to)
			continue
		}
		clear(to[:s.PadW*imageChannels])
		clear(to[(s.PadW+s.W)*imageChannels:])
		m.Y, m.N = to[s.PadW*imageChannels:], s.W
		for c := range m.X {
			m.X[c] = nil
			if c < s.C {
				m.X[c] = x[(c*s.H+h)*s.W:][:s.W]
			}
		}
		m.Run()
	}
	clear(k.bf16[rows*size : rows*size+2*block])
}
