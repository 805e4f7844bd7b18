package jpeg

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"image"
	"image/jpeg"
	"io"
	"os"
	"testing"
)

// seeds adds small files of every kind.
func seeds(f *testing.F) {
	packed, err := os.ReadFile("../../../testdata/jpeg/made.tar.gz")
	if err != nil {
		f.Fatal(err)
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		f.Fatal(err)
	}
	for i, r := 0, tar.NewReader(r); ; i++ {
		_, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		data, e := io.ReadAll(r)
		if err := errors.Join(err, e); err != nil {
			f.Fatal(err)
		}
		if i%5 == 0 { // of about the same there are several
			f.Add(data)
		}
	}
}

// FuzzDecode: whatever the bytes, an error or a picture of the size in the header, in as much
// memory as that says. Where the standard library decodes the file as well, samples are a few
// levels apart.
func FuzzDecode(f *testing.F) {
	seeds(f)
	var d Decoder
	f.Fuzz(func(t *testing.T, data []byte) {
		head, err := ReadHeader(bytes.NewReader(data))
		if err != nil || head.Memory() > 16<<20 {
			return
		}
		m, err := d.Decode(data)
		if err != nil {
			return
		}
		if m.Width != head.Width || m.Height != head.Height || m.Width < 1 || m.Height < 1 {
			t.Fatalf("%d×%d, and the header says %d×%d", m.Width, m.Height, head.Width, head.Height)
		}
		row := make([]byte, 3*m.Width)
		for y := range m.Height {
			m.RGB(row, y, 0, m.Width)
		}
		m.RGB(row, m.Height-1, m.Width-1, m.Width)
		if !d.wide && plain(&d) {
			compare(t, m, data)
		}
	})
}

// plain says whether a file is one that the standard library reads as T.81 says: sequential,
// without the symbols of runs of blocks, of one scan whose first component is the finest.
func plain(d *Decoder) bool {
	for i := range d.ac {
		for _, symbol := range d.ac[i].values[:d.ac[i].count] {
			if symbol&15 == 0 && symbol != 0 && symbol != 0xf0 {
				return false
			}
		}
	}
	first := d.comps[0]
	return !d.head.Progressive && d.scans == 1 && first.h == d.head.hMax && first.v == d.head.vMax && len(d.image.planes) < 4 && d.head.Space != RGB
}

// compare holds samples to those of the standard library, where that decodes the file.
func compare(t *testing.T, m *Image, data []byte) {
	other, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		return
	}
	var planes [][]byte
	var strides []int
	switch o := other.(type) {
	case *image.Gray:
		planes, strides = [][]byte{o.Pix}, []int{o.Stride}
	case *image.YCbCr:
		planes, strides = [][]byte{o.Y, o.Cb, o.Cr}, []int{o.YStride, o.CStride, o.CStride}
	default:
		return
	}
	for i, p := range m.planes {
		for y := range p.h {
			for x := range p.w {
				a, b := int(p.pix[y*p.stride+x]), int(planes[i][y*strides[i]+x])
				if max(a-b, b-a) > 2 {
					t.Fatalf("component %d, sample %d,%d is %d, and %d by image/jpeg", i, x, y, a, b)
				}
			}
		}
	}
}
