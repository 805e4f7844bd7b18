package weights

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"unicode/utf8"
)

// metadataKey is the one name of a header that is not a tensor's.
const metadataKey = "__metadata__"

// headerParser accepts the grammar of a safetensors header and nothing more:
//
//	header = '{' [ member { ',' member } ] '}'
//	member = '"__metadata__"' ':' '{' [ string ':' string { ',' … } ] '}'
//	       | name ':' '{' field ',' field ',' field '}'        each field once, in any order
//	field  = '"dtype"' ':' string
//	       | '"shape"' ':' ints
//	       | '"data_offsets"' ':' '[' int ',' int ']'
//
// with JSON's white space between tokens. Nesting is therefore bounded by the grammar.
type headerParser struct {
	b []byte
	i int
}

func (p *headerParser) errorf(format string, args ...any) error {
	return fmt.Errorf("header byte %d: %s", p.i, fmt.Sprintf(format, args...))
}

// parseHeader returns the tensors in the order of the header and the metadata.
func parseHeader(b []byte) ([]Entry, map[string]string, error) {
	if !utf8.Valid(b) {
		return nil, nil, fmt.Errorf("header: not UTF-8")
	}
	if len(b) == 0 || b[0] != '{' {
		return nil, nil, fmt.Errorf("header: does not begin with '{'")
	}
	p := &headerParser{b: b}
	var entries []Entry
	var meta map[string]string
	err := p.object(func(name string) error {
		if name == metadataKey {
			meta = map[string]string{}
			return p.object(func(key string) (err error) {
				meta[key], err = p.str()
				return err
			})
		}
		if len(entries) == maxTensors {
			return p.errorf("more than %d tensors", maxTensors)
		}
		e, err := p.entry(name)
		entries = append(entries, e)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	if p.space(); p.i != len(b) {
		return nil, nil, p.errorf("text after the header's end")
	}
	return entries, meta, nil
}

// object calls member after each key and its colon; a key that was there before is an error.
func (p *headerParser) object(member func(key string) error) error {
	if err := p.expect('{'); err != nil {
		return err
	}
	if p.accept('}') {
		return nil
	}
	seen := map[string]bool{}
	for {
		key, err := p.str()
		if err != nil {
			return err
		}
		if seen[key] {
			return p.errorf("duplicate name %q", key)
		}
		seen[key] = true
		if err := p.expect(':'); err != nil {
			return err
		}
		if err := member(key); err != nil {
			return err
		}
		if p.accept(',') {
			continue
		}
		return p.expect('}')
	}
}

func (p *headerParser) entry(name string) (Entry, error) {
	e := Entry{Name: name}
	fields := 0
	var offsets []int64
	err := p.object(func(key string) (err error) {
		fields++
		switch key {
		case "dtype":
			var s string
			if s, err = p.str(); err != nil {
				return err
			}
			var ok bool
			if e.DType, ok = dtypeByName(s); !ok {
				return p.errorf("tensor %q: dtype %q is not supported", name, s)
			}
		case "shape":
			var dims []int64
			if dims, err = p.ints(); err != nil {
				return err
			}
			e.Shape = make([]int, len(dims))
			for i, d := range dims {
				if d > math.MaxInt {
					return p.errorf("tensor %q: dimension %d is too large", name, d)
				}
				e.Shape[i] = int(d)
			}
		case "data_offsets":
			offsets, err = p.ints()
		default:
			return p.errorf("tensor %q: unknown field %q", name, key)
		}
		return err
	})
	if err != nil {
		return e, err
	}
	if fields != 3 { // keys are distinct and known, so three are all
		return e, p.errorf("tensor %q: dtype, shape or data_offsets missing", name)
	}
	if len(offsets) != 2 {
		return e, p.errorf("tensor %q: %d data_offsets, want 2", name, len(offsets))
	}
	e.begin, e.end = offsets[0], offsets[1]
	return e, e.check()
}

func (p *headerParser) space() {
	for p.i < len(p.b) {
		switch p.b[p.i] {
		case ' ', '\t', '\r', '\n':
			p.i++
		default:
			return
		}
	}
}

func (p *headerParser) accept(c byte) bool {
	p.space()
	if p.i < len(p.b) && p.b[p.i] == c {
		p.i++
		return true
	}
	return false
}

func (p *headerParser) expect(c byte) error {
	if p.accept(c) {
		return nil
	}
	if p.i == len(p.b) {
		return p.errorf("ends where %q is expected", c)
	}
	return p.errorf("%q where %q is expected", p.b[p.i], c)
}

// str reads a JSON string.
func (p *headerParser) str() (string, error) {
	if err := p.expect('"'); err != nil {
		return "", err
	}
	start := p.i
	for p.i < len(p.b) {
		switch c := p.b[p.i]; {
		case c == '\\':
			p.i += 2
		case c == '"':
			p.i++
			raw := p.b[start : p.i-1]
			if bytes.IndexByte(raw, '\\') < 0 {
				return string(raw), nil
			}
			var s string
			if err := json.Unmarshal(p.b[start-1:p.i], &s); err != nil {
				return "", p.errorf("string: %v", err)
			}
			return s, nil
		case c < 0x20:
			return "", p.errorf("control character in a string")
		default:
			p.i++
		}
	}
	p.i = len(p.b)
	return "", p.errorf("ends inside a string")
}

// ints reads a list of integers from 0 to MaxInt64, without sign, fraction, exponent or leading
// zeros.
func (p *headerParser) ints() ([]int64, error) {
	if err := p.expect('['); err != nil {
		return nil, err
	}
	if p.accept(']') {
		return nil, nil
	}
	var list []int64
	for {
		n, err := p.integer()
		if err != nil {
			return nil, err
		}
		if len(list) == maxDims {
			return nil, p.errorf("a list of more than %d numbers", maxDims)
		}
		list = append(list, n)
		if p.accept(',') {
			continue
		}
		return list, p.expect(']')
	}
}

func (p *headerParser) integer() (int64, error) {
	p.space()
	start, n := p.i, int64(0)
	for p.i < len(p.b) && '0' <= p.b[p.i] && p.b[p.i] <= '9' {
		d := int64(p.b[p.i] - '0')
		if n > (math.MaxInt64-d)/10 {
			return 0, p.errorf("integer overflows")
		}
		n = 10*n + d
		p.i++
	}
	switch {
	case p.i == start:
		return 0, p.errorf("an integer from 0 is expected")
	case p.b[start] == '0' && p.i > start+1:
		return 0, p.errorf("integer with a leading zero")
	}
	return n, nil
}
