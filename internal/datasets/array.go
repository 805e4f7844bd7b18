package datasets

import "fmt"

// array is a source whose images are all in memory, one byte a value.
type array struct {
	names   []string
	c, h, w int
	blocks  int // pixels squared that were averaged on reading; 0 means 1
	train   records
	test    records
}

// records are the images of one split, in the order of their files.
type records struct {
	pixels []byte // [n, C, H, W]
	labels []uint8
	files  []recordFile
}

// recordFile is a file of so many records and its name in IDs and messages.
type recordFile struct {
	name  string
	count int
	// digest of the official file's contents ("md5:…" or "sha256:…"), checked by Verify and Fetch
	// alone.
	digest string
}

func (a *array) split(s Split) *records {
	switch s {
	case Train:
		return &a.train
	case Test:
		return &a.test
	}
	return &records{}
}

func (a *array) classes() []string        { return a.names }
func (a *array) count(s Split) int        { return len(a.split(s).labels) }
func (a *array) label(s Split, i int) int { return int(a.split(s).labels[i]) }

func (a *array) about() properties {
	p := NewPreprocessing(a.c, a.h*max(a.blocks, 1), 0, Normalizer{})
	p.Downsample, p.Orientation = max(a.blocks, 1), OrientData
	return properties{view: p}
}

func (a *array) pixels(s Split, i int) []byte {
	n := a.c * a.h * a.w
	return a.split(s).pixels[i*n : (i+1)*n]
}

func (a *array) image(_ *scratch, s Split, i int, dst []byte) error {
	copy(dst, a.pixels(s, i))
	return nil
}

func (a *array) decode(_ *scratch, s Split, i int, _ bool) (rows, error) {
	return planar{a.pixels(s, i), a.c, a.h, a.w}, nil
}

func (a *array) place(s Split, i int) string { return a.id(s, i) }

func (a *array) id(s Split, i int) string {
	for _, f := range a.split(s).files {
		if i < f.count {
			return fmt.Sprintf("%s#%d", f.name, i)
		}
		i -= f.count
	}
	return fmt.Sprintf("%s#%d", s, i)
}

// downsample averages blocks of k×k pixels, rounding to nearest, in place.
func (a *array) downsample(name string, k int) error {
	if k <= 1 {
		return nil
	}
	if a.h%k != 0 || a.w%k != 0 {
		return faultf(ErrConfig, "%s: data.downsample is %d, which does not divide %d×%d pixels", name, k, a.h, a.w)
	}
	for _, r := range []*records{&a.train, &a.test} {
		// Each average is written at or before the first pixel that it reads, so one buffer serves
		// for both.
		average(r.pixels, r.pixels, len(r.labels)*a.c, a.h, a.w, k)
		small := make([]byte, len(r.pixels)/(k*k))
		copy(small, r.pixels)
		r.pixels = small
	}
	a.h, a.w, a.blocks = a.h/k, a.w/k, k
	return nil
}

// average writes the means of k×k blocks of n planes [h, w] to dst, rounding to nearest. dst may be
// src.
func average(dst, src []byte, n, h, w, k int) {
	o := 0
	for p := range n {
		plane := src[p*h*w : (p+1)*h*w]
		for y := 0; y < h; y += k {
			for x := 0; x < w; x += k {
				sum := k * k / 2
				for dy := range k {
					for _, v := range plane[(y+dy)*w+x : (y+dy)*w+x+k] {
						sum += int(v)
					}
				}
				dst[o] = byte(sum / (k * k))
				o++
			}
		}
	}
}
