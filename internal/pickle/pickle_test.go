package pickle

import (
	"bufio"
	"errors"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

func unpickle(text string) (any, error) {
	u := &Reader{
		In: bufio.NewReader(strings.NewReader(text)), Limit: int64(len(text)),
		Call: func(f Global, args []any) (any, error) { return []any{f, args}, nil },
		Persistent: func(id any) (any, error) {
			if id == nil {
				return nil, errors.New("refused")
			}
			return []any{"persistent", id}, nil
		},
	}
	return u.Load()
}

// object stands for what a caller makes.
type object struct{}

func (object) Kind() string    { return "a tensor" }
func (object) Build(any) error { return nil }

// The values are those of Python's pickle.loads.
func TestPicklesHoldTheValuesOfPython(t *testing.T) {
	dict := func(pairs ...any) *Dict {
		d := &Dict{}
		for i := 0; i < len(pairs); i += 2 {
			if err := d.Set(pairs[i], pairs[i+1]); err != nil {
				t.Fatal(err)
			}
		}
		return d
	}
	for text, want := range map[string]any{
		"\x80\x02N.": nil, "\x80\x02\x88.": true, "\x80\x02\x89.": false,
		"K\xff.": int64(255), "M\x01\x02.": int64(513), "J\xfe\xff\xff\xff.": int64(-2), "J\x00\x00\x00\x01.": int64(1 << 24),
		"\x8a\x00.": int64(0), "\x8a\x01\xff.": int64(-1), "\x8a\x02\xff\x00.": int64(255), "\x8a\x03\x00\x00\x80.": int64(-1 << 23),
		"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f.": int64(1<<63 - 1), "\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80.": int64(-1 << 63),
		"G\xbf\xf8\x00\x00\x00\x00\x00\x00.": -1.5,
		"X\x02\x00\x00\x00hi.":               "hi", "\x8c\x02hi.": "hi", "\x8d\x02\x00\x00\x00\x00\x00\x00\x00hi.": "hi",
		"U\x02hi.": "hi", "T\x02\x00\x00\x00hi.": "hi", "C\x02hi.": "hi", "B\x02\x00\x00\x00hi.": "hi",
		").": []any{}, "K\x01\x85.": []any{int64(1)}, "K\x01K\x02\x86.": []any{int64(1), int64(2)},
		"K\x01K\x02K\x03\x87.":              []any{int64(1), int64(2), int64(3)},
		"N(K\x01K\x02t\x86.":                []any{nil, []any{int64(1), int64(2)}},
		"].":                                &List{},
		"]K\x01a.":                          &List{Items: []any{int64(1)}},
		"]K\x01a(K\x02K\x03e.":              &List{Items: []any{int64(1), int64(2), int64(3)}},
		"}.":                                &Dict{},
		"}K\x01Ns(K\x02\x88\x8c\x01a\x89u.": dict(int64(1), nil, int64(2), true, "a", false),
		// The memo: by a byte, by four bytes, and by its own count.
		"K\x07q\x01K\x08\x86h\x01\x86.":                                                     []any{[]any{int64(7), int64(8)}, int64(7)},
		"K\x07r\x00\x01\x00\x00Nj\x00\x01\x00\x00\x87.":                                     []any{int64(7), nil, int64(7)},
		"\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00K\x05\x94K\x06\x94h\x01h\x00\x86\x87.": []any{int64(5), int64(6), []any{int64(6), int64(5)}},
		// What is popped is gone; a mark takes what stands on it with it.
		"NK\x01K\x020\x86.": []any{nil, int64(1)}, "N(K\x01K\x021K\x03\x86.": []any{nil, int64(3)},
		// Classes and functions are names and arguments.
		"ctorch\nSize\nK\x02\x85R.":           []any{Global("torch.Size"), []any{int64(2)}},
		"\x8c\x05torch\x8c\x04Size\x93)\x81.": []any{Global("torch.Size"), []any{}},
		"K\x05Q.":                             []any{"persistent", int64(5)},
		"}}\x8c\x01vK\x01sb.":                 &Dict{}, // attributes are left out
		// What state dicts do not need, and what stands beside them has.
		"I4294967296\n.": int64(1 << 32), "I01\n.": true, "I00\n.": false, "I-7\n.": int64(-7),
		"\x8b\x01\x00\x00\x00\xff.": int64(-1), "\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01.": &Opaque{Class: "int"},
		"\x8e\x02\x00\x00\x00\x00\x00\x00\x00hi.": "hi", "\x96\x02\x00\x00\x00\x00\x00\x00\x00hi.": "hi",
		"K\x012\x86.": []any{int64(1), int64(1)}, "\x8f(K\x01K\x02\x90.": &List{Items: []any{int64(1), int64(2)}},
		"(K\x01\x91.": &List{Items: []any{int64(1)}}, "(K\x01l.": &List{Items: []any{int64(1)}}, "(K\x01K\x02d.": dict(int64(1), int64(2)),
		"(ctorch\nSize\nK\x02o.": []any{Global("torch.Size"), []any{int64(2)}}, "ctorch\nSize\n)}\x92.": []any{Global("torch.Size"), []any{}},
		"})K\x01s.": &Dict{}, // no tensor has a name that is no plain value
	} {
		got, err := unpickle(text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q is %#v, %v; want %#v", text, got, err, want)
		}
	}
}

// A text of any size is one string of as many bytes, and the file may have no more than it may.
func TestLargeTextsAreReadWholeAndWithinTheBounds(t *testing.T) {
	const n = 1<<17 + 3
	large := "T\x03\x00\x02\x00" + strings.Repeat("ab", n/2) + "c."
	if v, err := unpickle(large); err != nil || v != strings.Repeat("ab", n/2)+"c" {
		t.Errorf("%d bytes, %v", len(Describe(v)), err)
	}
	for want, u := range map[string]*Reader{
		"are left":            {In: bufio.NewReader(strings.NewReader(large)), Limit: n},
		"is cut off":          {In: bufio.NewReader(strings.NewReader(large[:n])), Limit: n + 100},
		"take more than 0 MB": {In: bufio.NewReader(strings.NewReader(large)), Limit: n + 100, Memory: n},
		"outside of the file": {In: bufio.NewReader(strings.NewReader("NQ.")), Limit: 3},
		"no disk":             {In: bufio.NewReader(iotest.ErrReader(errors.New("no disk"))), Limit: 3},
	} {
		if _, err := u.Load(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// FuzzLoad: whatever the bytes, the machine ends, without a panic.
func FuzzLoad(f *testing.F) {
	f.Add("\x80\x02}q\x00(U\x01aq\x01]q\x02(K\x01K\x02eu.")
	f.Add("\x80\x02cnumpy\ndtype\nq\x01U\x02u1\x89\x88\x87Rq\x02(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb.")
	f.Add("\x80\x05\x95\x0b\x00\x00\x00\x00\x00\x00\x00\x8c\x01a\x8c\x01b\x93)\x81}b.")
	f.Fuzz(func(t *testing.T, text string) {
		if v, err := unpickle(text); err == nil && Describe(v) == "" && v != Global("") {
			t.Errorf("%#v has no description", v)
		}
	})
}

func TestBrokenPicklesAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		".": "without its operands", "0.": "without its operands", "1.": "without its operands", "t.": "without its operands", "\x85.": "without its operands",
		"K\x01K\x02\x87.": "without its operands", "q\x01.": "without its operands", "\x94.": "without its operands",
		"K\x01a.": "without its operands", "NK\x01a.": "without its operands", "N(K\x01e.": "without its operands",
		"K\x01K\x02s.": "without its operands", "}(K\x01u.": "without its operands", "](K\x01K\x02u.": "without its operands",
		"Q.": "without its operands", "NQ.": "refused", "N)R.": "without its operands", "ctorch\nSize\nNR.": "without its operands", ")b.": "without its operands", "N)b.": "without its operands",
		"K\x01\x8c\x01a\x93.": "without its operands", "\x8c\x01aK\x01\x93.": "without its operands", "\x93.": "without its operands", "\x8c\x01a\x93.": "without its operands",
		"j\x00\x01\x00\x00.":                   "memo 256 is empty",
		"c" + strings.Repeat("a", 1025) + "\n": "more than 1024 bytes", "ctorch\n" + strings.Repeat("a", 1025) + "\n": "more than 1024 bytes",
		"M\x01": "are left", "G\x00": "are left", "\x8c\x05ab": "are left",
	} {
		if v, err := unpickle(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is %#v, %v; want %q", text, v, err, want)
		}
	}
}

func TestValuesAreDescribedByTheirKind(t *testing.T) {
	for want, v := range map[string]any{
		"None": nil, "true": true, "-3": int64(-3), "1.5": 1.5, `"a"`: "a", "a tuple": []any{}, "a list": &List{}, "a dictionary": &Dict{},
		"torch.Size": Global("torch.Size"), "a tensor": object{}, "something else": struct{}{}, `"` + strings.Repeat("x", 64) + `"`: strings.Repeat("x", 65),
	} {
		if got := Describe(v); got != want {
			t.Errorf("%#v is %s, want %s", v, got, want)
		}
	}
}
