package kaldi

import (
	"errors"
	"io"
	"strconv"

	"resnet/internal/datasets/fault"
)

// maxToken is longer than any number.
const maxToken = 64

// text reads an object that is written as text: in brackets a matrix or vector, otherwise integers
// up to the end of the line.
func (r *Reader) text() (Value, error) {
	for {
		c, err := r.byte()
		switch {
		case err == nil && c == '\n':
			return Value{Kind: TextIntegers}, nil
		case err != nil: // also io.EOF: a line that ends with its key was cut
			return Value{}, r.ended(err, "text")
		case c == ' ' || c == '\t' || c == '\r':
		case c == '[':
			return r.textMatrix()
		default:
			if err := r.r.UnreadByte(); err == nil {
				r.at--
			}
			return r.textIntegers()
		}
	}
}

// token reads up to a space, the end of a line or a bracket, which it returns; at the end of the
// file that is 0.
func (r *Reader) token(buf []byte) (token []byte, end byte, err error) {
	token = buf[:0]
	for {
		c, err := r.byte()
		switch {
		case errors.Is(err, io.EOF):
			return token, 0, nil
		case err != nil:
			return nil, 0, r.ended(err, "text")
		case c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ']':
			return token, c, nil
		case len(token) == maxToken:
			return nil, 0, fault.Dataf("byte %d: %q… is no number", r.at, token)
		}
		token = append(token, c)
	}
}

// room holds text to the bound of a compressed file.
func (r *Reader) room(values int) error {
	if r.limit > 0 && int64(values)*4 > r.limit {
		return fault.Dataf("more than %d values in a compressed file that is far too small for them", values)
	}
	return nil
}

// textMatrix reads behind the opening bracket. Rows end with lines; what is all in one line is a
// vector.
func (r *Reader) textMatrix() (Value, error) {
	v := Value{Kind: TextVector}
	buf, inRow := make([]byte, 0, maxToken), 0
	endRow := func() error {
		if inRow == 0 {
			return nil
		}
		if v.Rows > 0 && inRow != v.Cols {
			return fault.Dataf("byte %d: row %d has %d values, those before it %d", r.at, v.Rows, inRow, v.Cols)
		}
		v.Rows, v.Cols, inRow = v.Rows+1, inRow, 0
		return nil
	}
	for {
		token, end, err := r.token(buf)
		if err != nil {
			return v, err
		}
		if len(token) > 0 {
			x, err := strconv.ParseFloat(string(token), 32)
			if err != nil && x == 0 {
				return v, fault.Dataf("byte %d: %q is no number", r.at, token)
			}
			v.Floats = append(v.Floats, float32(x))
			inRow++
			if err := r.room(len(v.Floats)); err != nil {
				return v, err
			}
		}
		switch end {
		case '\n':
			v.Kind = TextMatrix
			if err := endRow(); err != nil {
				return v, err
			}
		case ']':
			if err := endRow(); err != nil {
				return v, err
			}
			return v, r.endLine()
		case 0:
			return v, fault.Dataf("the file ends at byte %d before the bracket closes: copy or write it anew", r.at)
		}
	}
}

// endLine takes what is left of a line, which has to be blank.
func (r *Reader) endLine() error {
	for {
		c, err := r.byte()
		switch {
		case errors.Is(err, io.EOF) || err == nil && c == '\n':
			return nil
		case err != nil:
			return r.ended(err, "text")
		case c != ' ' && c != '\t' && c != '\r':
			return fault.Dataf("byte %d: %q after the closing bracket", r.at-1, c)
		}
	}
}

// textIntegers reads whole numbers up to the end of the line.
func (r *Reader) textIntegers() (Value, error) {
	v := Value{Kind: TextIntegers}
	buf := make([]byte, 0, maxToken)
	for {
		token, end, err := r.token(buf)
		if err != nil {
			return v, err
		}
		if len(token) > 0 {
			x, err := strconv.ParseInt(string(token), 10, 32)
			if err != nil {
				return v, fault.Dataf("byte %d: %q is no whole number of 32 bits: alignments are pdf or class numbers, matrices stand in brackets", r.at, token)
			}
			v.Ints = append(v.Ints, int32(x))
			v.Rows, v.Cols = 1, len(v.Ints)
			if err := r.room(len(v.Ints)); err != nil {
				return v, err
			}
		}
		switch end {
		case '\n', 0:
			return v, nil
		case ']':
			return v, fault.Dataf("byte %d: a bracket that was not opened", r.at-1)
		}
	}
}
