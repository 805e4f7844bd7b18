package datasets

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// PNM is Netpbm's family of plain formats: a bitmap (P1, P4), greys (P2, P5) or colours (P3, P6),
// as decimal numbers or as bytes, behind width, height and (of greys and colours) the greatest
// value.
type pnm struct {
	kind          byte // '1' to '6'
	width, height int
	most          int // greatest value
}

func isPNM(head []byte) bool {
	return len(head) >= 3 && head[0] == 'P' && head[1] >= '1' && head[1] <= '6' && (isSpace(head[2]) || head[2] == '#')
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// pnmHeaderBytes bounds the header with its comments.
const pnmHeaderBytes = 64 << 10

// parsePNM reads the header; at is where the pixels begin.
func parsePNM(head []byte) (p pnm, at int, err error) {
	if !isPNM(head) {
		return p, 0, errors.New("no header")
	}
	p, at = pnm{kind: head[1], most: 1}, 2
	fields := []*int{&p.width, &p.height}
	if p.kind != '1' && p.kind != '4' {
		fields = append(fields, &p.most)
	}
	for _, f := range fields {
		if *f, at, err = pnmNumber(head, at); err != nil {
			return p, at, err
		}
	}
	if p.most < 1 || p.most > 65535 {
		return p, at, fmt.Errorf("a greatest value of %d", p.most)
	}
	if at >= len(head) || !isSpace(head[at]) {
		return p, at, errors.New("the header is cut off")
	}
	return p, at + 1, nil
}

// pnmNumber reads a number behind white space and comments.
func pnmNumber(b []byte, at int) (n, next int, err error) {
	for at < len(b) && (isSpace(b[at]) || b[at] == '#') {
		if b[at] == '#' {
			for at < len(b) && b[at] != '\n' && b[at] != '\r' {
				at++
			}
			continue
		}
		at++
	}
	from := at
	for at < len(b) && b[at] >= '0' && b[at] <= '9' {
		if n = 10*n + int(b[at]-'0'); n > 1<<30 {
			return 0, at, fmt.Errorf("a number too large at byte offset %d", from)
		}
		at++
	}
	if at == from {
		return 0, at, fmt.Errorf("no number at byte offset %d", from)
	}
	return n, at, nil
}

func (p pnm) channels() int {
	if p.kind == '3' || p.kind == '6' {
		return 3
	}
	return 1
}

func headerOfPNM(r *io.SectionReader) (header, error) {
	head := make([]byte, min(pnmHeaderBytes, r.Size()))
	if _, err := r.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return header{}, err
	}
	p, _, err := parsePNM(head)
	return header{width: p.width, height: p.height, memory: 4 * int64(p.width) * int64(p.height)}, err
}

// decodePNM scales values to 255: v·255/most, rounded to the nearest.
func decodePNM(_ *scratch, data []byte) (rows, error) {
	p, at, err := parsePNM(data)
	if err != nil {
		return nil, err
	}
	n := p.width * p.height * p.channels()
	out := make([]byte, n)
	switch p.kind {
	case '4':
		err = p.bits(out, data[at:])
	case '5', '6':
		err = p.bytes(out, data[at:])
	default:
		err = p.numbers(out, data, at)
	}
	if err != nil {
		return nil, err
	}
	if p.channels() == 1 {
		return planar{out, 1, p.height, p.width}, nil
	}
	return Picture{Width: p.width, Height: p.height, Pix: out}, nil
}

var errPNMShort = errors.New("the pixels are cut off")

// bits reads a bitmap, whose ones are black and whose rows begin with a byte.
func (p pnm) bits(out, in []byte) error {
	line := (p.width + 7) / 8
	if len(in) < line*p.height {
		return errPNMShort
	}
	for i := range out {
		x, y := i%p.width, i/p.width
		out[i] = 255 * (1 - in[y*line+x/8]>>(7-x%8)&1)
	}
	return nil
}

func (p pnm) bytes(out, in []byte) error {
	wide := 1
	if p.most > 255 {
		wide = 2
	}
	if len(in)/wide < len(out) {
		return errPNMShort
	}
	if p.most == 255 {
		copy(out, in)
		return nil
	}
	for i := range out {
		v := int(in[wide*i])
		if wide == 2 {
			v = v<<8 | int(in[2*i+1])
		}
		out[i] = p.level(v)
	}
	return nil
}

func (p pnm) numbers(out, data []byte, at int) error {
	for i := range out {
		var v int
		var err error
		if p.kind == '1' { // the digits need no space between them
			for at < len(data) && isSpace(data[at]) {
				at++
			}
			if at >= len(data) {
				return errPNMShort
			}
			if at++; data[at-1] != '0' && data[at-1] != '1' {
				return fmt.Errorf("%q at byte offset %d of a bitmap", data[at-1], at-1)
			}
			out[i] = 255 * ('1' - data[at-1])
			continue
		}
		if v, at, err = pnmNumber(data, at); err != nil {
			if len(bytes.TrimSpace(data[min(at, len(data)):])) == 0 {
				return errPNMShort
			}
			return err
		}
		out[i] = p.level(v)
	}
	return nil
}

// level is a value from 0 to 255, to the nearest.
func (p pnm) level(v int) byte { return byte((min(v, p.most)*255 + p.most/2) / p.most) }
