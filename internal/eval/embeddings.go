package eval

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Embeddings are the features of some images, all of one length.
type Embeddings struct {
	Names    []string // of the images, as they were given
	Features [][]float32
}

// WriteNPY writes the features as a matrix [images, features] of little-endian float32 in NumPy's
// format, version 1.0 (numpy.lib.format). The names are not in it.
func (e *Embeddings) WriteNPY(w io.Writer) error {
	header := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }", len(e.Features), e.len())
	const magic, align = 10, 64 // bytes before the header; the values begin at a multiple
	header += strings.Repeat(" ", align-1-(magic+len(header))%align) + "\n"
	b := bufio.NewWriter(w)
	head := binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(len(header)))
	if _, err := b.Write(append(head, header...)); err != nil {
		return err
	}
	for _, f := range e.Features {
		if err := binary.Write(b, binary.LittleEndian, f); err != nil {
			return err
		}
	}
	return b.Flush()
}

// WriteCSV writes a line for each image: its name and its features, which come back to the bit as
// float32.
func (e *Embeddings) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	row := []string{"image"}
	for k := range e.len() {
		row = append(row, "f"+strconv.Itoa(k))
	}
	if err := c.Write(row); err != nil {
		return err
	}
	for i, f := range e.Features {
		row = append(row[:0], e.Names[i])
		for _, v := range f {
			row = append(row, strconv.FormatFloat(float64(v), 'g', -1, 32))
		}
		if err := c.Write(row); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

func (e *Embeddings) len() int {
	if len(e.Features) == 0 {
		return 0
	}
	return len(e.Features[0])
}

// Neighbour is an image that is like another one.
type Neighbour struct {
	Image string `json:"image"`
	// Cosine is that of the angle between the features: 1 where they have the same direction.
	Cosine float64 `json:"cosine"`
}

// Nearest are the images whose features are most like query, the most like first, of equal ones
// those that come first. Features of zeros are like nothing.
func (e *Embeddings) Nearest(query []float32, most int) []Neighbour {
	all := make([]Neighbour, len(e.Features))
	for i, f := range e.Features {
		all[i] = Neighbour{e.Names[i], cosine(query, f)}
	}
	slices.SortStableFunc(all, func(a, b Neighbour) int { return cmp.Compare(b.Cosine, a.Cosine) })
	return all[:min(max(most, 0), len(all))]
}

func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i, x := range a {
		x, y := float64(x), float64(b[i])
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return ab / math.Sqrt(aa*bb)
}
