package datasets

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"resnet/internal/datasets/fault/faulttest"
)

func TestTheTableOfTheDevelopmentKitIsRead(t *testing.T) {
	rows, err := readSynsets(fixture(t, "meta.mat"))
	if err != nil || len(rows) != 1003 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for i, want := range map[int]synset{489: {490, "n01751748", 0}, 360: {361, "n09193705", 0}, 1000: {1001, "n99999990", 2}} {
		if rows[i] != want {
			t.Errorf("row %d is %+v, want %+v", i, rows[i], want)
		}
	}
	plain, err := readSynsets(fixture(t, "plain.mat"))
	if err != nil || len(plain) != 4 || plain[3] != rows[3] {
		t.Errorf("not compressed: %+v, %v", plain, err)
	}
}

// mat builds MAT-files for tests, in either byte order.
type mat struct{ order binary.AppendByteOrder }

func (m mat) file(elements ...[]byte) []byte {
	head := append(bytes.Repeat([]byte{' '}, 124), 0, 0, 0, 0)
	m.order.(binary.ByteOrder).PutUint16(head[124:], 0x0100)
	m.order.(binary.ByteOrder).PutUint16(head[126:], 'M'<<8|'I')
	return append(head, bytes.Join(elements, nil)...)
}

func (m mat) element(kind uint32, body []byte) []byte {
	b := m.order.AppendUint32(m.order.AppendUint32(nil, kind), uint32(len(body)))
	b = append(b, body...)
	for len(b)%8 != 0 && kind != miCompressed {
		b = append(b, 0)
	}
	return b
}

func (m mat) ints(kind uint32, v ...uint32) []byte {
	var b []byte
	for _, x := range v {
		b = m.order.AppendUint32(b, x)
	}
	return m.element(kind, b)
}

func (m mat) matrix(class uint32, name string, dims []uint32, rest ...[]byte) []byte {
	parts := [][]byte{m.ints(miUint32, class, 0), m.ints(miInt32, dims...), m.element(miInt8, []byte(name))}
	return m.element(miMatrix, bytes.Join(append(parts, rest...), nil))
}

func (m mat) number(v uint32) []byte {
	return m.matrix(13, "", []uint32{1, 1}, m.ints(miUint32, v))
}

func (m mat) text(s string) []byte {
	var b []byte
	for _, c := range []byte(s) {
		b = m.order.AppendUint16(b, uint16(c))
	}
	return m.matrix(mxChar, "", []uint32{1, uint32(len(s))}, m.element(miUint16, b))
}

func (m mat) table(rows uint32, names []string, values ...[]byte) []byte {
	var text []byte
	for _, n := range names {
		text = append(append(text, n...), make([]byte, 16-len(n))...)
	}
	head := [][]byte{m.ints(miInt32, 16), m.element(miInt8, text)}
	return m.matrix(mxStruct, "synsets", []uint32{rows, 1}, append(head, values...)...)
}

var synsetFields = []string{"ILSVRC2012_ID", "WNID", "num_children"}

func compressed(m mat, element []byte) []byte {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	z.Write(element)
	z.Close()
	return m.element(miCompressed, b.Bytes())
}

func TestBothByteOrdersAreRead(t *testing.T) {
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		m := mat{order}
		table := m.table(1, synsetFields, m.number(7), m.text("n01440764"), m.number(0))
		for name, file := range map[string][]byte{"plain": m.file(table), "compressed": m.file(m.number(1), compressed(m, table))} {
			rows, err := readSynsets(file)
			if err != nil || len(rows) != 1 || rows[0] != (synset{7, "n01440764", 0}) {
				t.Errorf("%v, %s: %+v, %v", order, name, rows, err)
			}
		}
	}
}

func TestHostileMATFilesAreRefused(t *testing.T) {
	m := mat{binary.LittleEndian}
	good := m.table(1, synsetFields, m.number(7), m.text("n01440764"), m.number(0))
	for name, c := range map[string]struct {
		file []byte
		says string
	}{
		"empty":                       {nil, "header"},
		"version 7.3":                 {append(make([]byte, 124), 0, 2, 'H', 'D', 0, 0), "7.3"},
		"no table":                    {m.file(m.number(3)), "synsets"},
		"a bomb":                      {m.file(compressed(m, make([]byte, 64<<20))), "decompressed"},
		"two bombs, each within":      {m.file(compressed(m, m.matrix(6, "a", []uint32{1, 1}, make([]byte, 12<<20))), compressed(m, m.matrix(6, "b", []uint32{1, 1}, make([]byte, 12<<20)))), "decompressed"},
		"an element past the end":     {m.file(m.ints(miMatrix, 1)[:8], []byte{0, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f}), ""},
		"not zlib":                    {m.file(m.element(miCompressed, []byte("abcdefgh"))), "zlib"},
		"four thousand million rows":  {m.file(m.table(0xffffffff, synsetFields)), "dimension"},
		"two thousand million rows":   {m.file(m.table(0x7fffffff, synsetFields)), "rows"},
		"fewer rows than promised":    {m.file(m.table(3, synsetFields, m.number(7), m.text("n01440764"), m.number(0))), "row 2 of 3"},
		"no wnid":                     {m.file(m.table(1, []string{"ILSVRC2012_ID", "num_children"}, m.number(7), m.number(0))), "WNID"},
		"an id that is a text":        {m.file(m.table(1, synsetFields, m.text("seven"), m.text("n01440764"), m.number(0))), "ILSVRC2012_ID"},
		"a wnid that is a number":     {m.file(m.table(1, synsetFields, m.number(7), m.number(7), m.number(0))), "WNID"},
		"a field name of no length":   {m.file(m.matrix(mxStruct, "synsets", []uint32{1, 1}, m.ints(miInt32, 0), m.element(miInt8, []byte("abc")))), "field names"},
		"a million fields":            {m.file(m.matrix(mxStruct, "synsets", []uint32{1, 1}, m.ints(miInt32, 1), m.element(miInt8, bytes.Repeat([]byte{'a'}, 1<<20)))), "field names"},
		"a number that is not finite": {m.file(m.table(1, synsetFields, m.matrix(6, "", []uint32{1, 1}, m.element(miDouble, bytes.Repeat([]byte{0xff}, 8))), m.text("n01440764"), m.number(0))), "ILSVRC2012_ID"},
	} {
		var err error
		n := faulttest.Allocated(func() { _, err = readSynsets(c.file) })
		if !errors.Is(err, ErrData) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want ErrData that says %q", name, err, c.says)
		}
		if n > 24<<20 { // maxMAT, and what zlib needs
			t.Errorf("%s: %d bytes allocated", name, n)
		}
	}
	file := m.file(good)
	for n := range file {
		if _, err := readSynsets(file[:n]); !errors.Is(err, ErrData) {
			t.Fatalf("cut after %d bytes: %v, want ErrData", n, err)
		}
	}
}

// FuzzMAT: whatever the bytes, rows or ErrData, within bounds.
func FuzzMAT(f *testing.F) {
	m := mat{binary.LittleEndian}
	table := m.table(2, synsetFields, m.number(7), m.text("n01440764"), m.number(0), m.number(8), m.text("n01443537"), m.number(3))
	f.Add(m.file(table))
	f.Add(m.file(compressed(m, table)))
	f.Add(mat{binary.BigEndian}.file(mat{binary.BigEndian}.table(0, synsetFields)))
	f.Add(fixture(f, "plain.mat"))
	f.Fuzz(func(t *testing.T, data []byte) {
		rows, err := readSynsets(data)
		if err != nil && (!errors.Is(err, ErrData) || rows != nil) {
			t.Fatalf("%d rows, error %v", len(rows), err)
		}
		if len(rows) > len(data)*2000 {
			t.Fatalf("%d rows out of %d bytes", len(rows), len(data))
		}
	})
}
