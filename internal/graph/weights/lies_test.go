package weights

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// file assembles a safetensors file from a header's text and a number of data bytes.
func file(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	b = append(b, header...)
	return append(b, make([]byte, data)...)
}

// lie is a file that claims what is not so.
type lie struct {
	name string
	file []byte
	want string // in the error
}

func lies() []lie {
	one := func(entry string, data int) []byte { return file(`{"a":`+entry+`}`, data) }
	prefix := func(n uint64, rest string) []byte { return append(binary.LittleEndian.AppendUint64(nil, n), rest...) }
	return []lie{
		{"empty file", nil, "0 bytes"},
		{"shorter than its length field", []byte{2, 0, 0}, "3 bytes"},
		{"header longer than the file", prefix(1000, "{}"), "truncated"},
		{"header of more than 16 MB", prefix(MaxHeader+1, "{}"), "at most 16777216"},
		{"header length that is negative as a signed number", prefix(1<<63|2, "{}"), "at most 16777216"},
		{"header that is no object", file(`[1]`, 0), "begin with '{'"},
		{"header that begins with a space", file(` {}`, 0), "begin with '{'"},
		{"header that is not UTF-8", file("{\"a\xff\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]}}", 1), "UTF-8"},
		{"header that ends early", file(`{"a":{"dtype":"U8"`, 0), "ends where"},
		{"text after the header", file(`{}x`, 0), "after the header"},
		{"tensor named twice", file(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, 2), `duplicate name "a"`},
		{"tensor named twice by an escape", file(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\u0061":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, 2), `duplicate name "a"`},
		{"field twice", one(`{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}`, 1), `duplicate name "dtype"`},
		{"metadata key twice", file(`{"__metadata__":{"k":"1","k":"2"}}`, 0), `duplicate name "k"`},
		{"metadata that is a number", file(`{"__metadata__":{"k":1}}`, 0), "'1' where"},
		{"metadata that is a list", file(`{"__metadata__":["k"]}`, 0), "'[' where"},
		{"metadata that is nested", file(`{"__metadata__":{"k":{"deep":"x"}}}`, 0), "'{' where"},
		{"unknown dtype", one(`{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}`, 1), `dtype "F8_E4M3"`},
		{"unknown field", one(`{"dtype":"U8","shape":[1],"data_offsets":[0,1],"exec":"x"}`, 1), `unknown field "exec"`},
		{"missing offsets", one(`{"dtype":"U8","shape":[1]}`, 1), "missing"},
		{"one offset", one(`{"dtype":"U8","shape":[1],"data_offsets":[0]}`, 1), "1 data_offsets"},
		{"three offsets", one(`{"dtype":"U8","shape":[1],"data_offsets":[0,1,2]}`, 1), "3 data_offsets"},
		{"reversed offsets", one(`{"dtype":"U8","shape":[1],"data_offsets":[1,0]}`, 1), "reversed"},
		{"negative offset", one(`{"dtype":"U8","shape":[1],"data_offsets":[-1,0]}`, 1), "integer"},
		{"offset beyond 64 bits", one(`{"dtype":"U8","shape":[1],"data_offsets":[0,18446744073709551617]}`, 1), "overflows"},
		{"data beyond the file", one(`{"dtype":"U8","shape":[1000],"data_offsets":[0,1000]}`, 10), "truncated"},
		{"terabytes in a small file", one(`{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}`, 16), "truncated"},
		{"bytes after the last tensor", one(`{"dtype":"U8","shape":[1],"data_offsets":[0,1]}`, 9), "after the last"},
		{"data that begin late", one(`{"dtype":"U8","shape":[1],"data_offsets":[1,2]}`, 2), "belong to no tensor"},
		{"hole between tensors", file(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}`, 3), "belong to no tensor"},
		{"overlapping tensors", file(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}`, 3), "overlap"},
		{"two tensors in one place", file(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}`, 2), "overlap"},
		{"empty tensor inside another", file(`{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[0],"data_offsets":[2,2]}}`, 4), "overlap"},
		{"empty tensor behind the file", one(`{"dtype":"F32","shape":[0],"data_offsets":[9,9]}`, 0), "belong to no tensor"},
		{"empty shape for some bytes", one(`{"dtype":"F32","shape":[0],"data_offsets":[0,4]}`, 4), "needs 0 bytes"},
		{"shape larger than the data", one(`{"dtype":"F32","shape":[2],"data_offsets":[0,4]}`, 4), "needs 8 bytes"},
		{"shape that overflows to the right size", one(`{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}`, 0), "overflows"},
		{"shape that overflows before a zero", one(`{"dtype":"U8","shape":[9223372036854775807,9223372036854775807,0],"data_offsets":[0,0]}`, 0), "overflows"},
		{"negative dimension", one(`{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}`, 1), "integer"},
		{"dimension with a fraction", one(`{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}`, 1), "where"},
		{"dimension with an exponent", one(`{"dtype":"U8","shape":[1e0],"data_offsets":[0,1]}`, 1), "where"},
		{"dimension that is NaN", one(`{"dtype":"U8","shape":[NaN],"data_offsets":[0,1]}`, 1), "integer"},
		{"dimension that is text", one(`{"dtype":"U8","shape":["1"],"data_offsets":[0,1]}`, 1), "integer"},
		{"dimension with a leading zero", one(`{"dtype":"U8","shape":[01],"data_offsets":[0,1]}`, 1), "leading zero"},
		{"dimension that is null", one(`{"dtype":"U8","shape":null,"data_offsets":[0,1]}`, 1), "where"},
		{"header nested a million deep", file(`{"a":`+strings.Repeat("[", 1_000_000), 0), "where"},
		{"shape nested a million deep", one(`{"dtype":"U8","shape":`+strings.Repeat("[", 1_000_000), 0), "integer"},
		{"string with a line break", file("{\"a\nb\":{}}", 0), "control character"},
		{"string with a wrong escape", file(`{"\q":{}}`, 0), "string"},
		{"string that ends in an escape", file(`{"\`, 0), "ends inside"},
	}
}

func TestEveryLieIsRefusedWithAReason(t *testing.T) {
	for _, l := range lies() {
		t.Run(l.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := New(bytes.NewReader(l.file), int64(len(l.file)), "lie.safetensors")
			runtime.ReadMemStats(&after)
			if !errors.Is(err, ErrFormat) {
				t.Fatalf("error %v, want ErrFormat", err)
			}
			if !strings.HasPrefix(err.Error(), "lie.safetensors: ") || !strings.Contains(err.Error(), l.want) {
				t.Errorf("error %q, want the file and %q", err, l.want)
			}
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 8<<20 {
				t.Errorf("%d bytes allocated for a file of %d", grown, len(l.file))
			}
		})
	}
}

func TestLegalOddities(t *testing.T) {
	for _, c := range []struct {
		name, header string
		data         int
	}{
		{"no tensors", `{}`, 0},
		{"empty metadata", `{"__metadata__":{}}`, 0},
		{"white space", "{ \"a\" :\t{\"dtype\" : \"U8\" ,\r\n\"shape\":[ 1 , 1 ],\"data_offsets\":[ 0 , 1 ]} } \n ", 1},
		{"scalar", `{"a":{"dtype":"I64","shape":[],"data_offsets":[0,8]}}`, 8},
		{"empty tensors side by side at a boundary", `{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"F32","shape":[0],"data_offsets":[2,2]},"c":{"dtype":"F32","shape":[3,0],"data_offsets":[2,2]},"d":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}`, 3},
		{"fields and tensors in any order", `{"b":{"data_offsets":[1,2],"shape":[1],"dtype":"U8"},"a":{"shape":[1],"dtype":"U8","data_offsets":[0,1]}}`, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := file(c.header, c.data)
			if _, err := New(bytes.NewReader(b), int64(len(b)), c.name); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestOpenNamesTheFileThatIsMissingOrNoFile(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "none") {
		t.Errorf("missing file: %v", err)
	}
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "regular") {
		t.Errorf("folder: %v", err)
	}
}

func TestTruncatedWhileOpenIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.safetensors")
	if err := os.WriteFile(path, file(`{"a":{"dtype":"U8","shape":[100],"data_offsets":[0,100]}}`, 100), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.Truncate(path, 80); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Float32("a"); !errors.Is(err, ErrFormat) {
		t.Errorf("error %v, want ErrFormat", err)
	}
}

func FuzzSafetensors(f *testing.F) {
	for _, l := range lies() {
		if len(l.file) < 1<<10 {
			f.Add(l.file)
		}
	}
	if b, err := os.ReadFile("../../../testdata/safetensors/reference.safetensors"); err == nil {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		w, err := New(bytes.NewReader(b), int64(len(b)), "fuzz")
		if err != nil {
			return
		}
		var tensors []Tensor
		total := 0
		for _, e := range w.Entries() {
			v, err := w.Float32(e.Name)
			if err != nil {
				t.Fatalf("%s: the header was accepted, but %v", e.Name, err)
			}
			total += e.Len() * e.DType.Size()
			if !e.DType.Float() {
				if _, err := w.Int64(e.Name); err != nil {
					t.Fatal(err)
				}
			}
			tensors = append(tensors, Tensor{Name: e.Name, Shape: e.Shape, Data: v})
		}
		if total > len(b) {
			t.Fatalf("%d bytes of tensors in a file of %d", total, len(b))
		}
		var out bytes.Buffer
		if err := Write(&out, tensors, w.Meta); err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		again, err := New(bytes.NewReader(out.Bytes()), int64(out.Len()), "again")
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		for i, e := range again.Entries() {
			if want := tensors[i]; e.Name != want.Name || fmt.Sprint(e.Shape) != fmt.Sprint(want.Shape) {
				t.Fatalf("tensor %d came back as %s %v, was %s %v", i, e.Name, e.Shape, want.Name, want.Shape)
			}
		}
		if _, err := DecodeMeta("fuzz", w.Meta); err == nil && w.Meta == nil {
			t.Fatal("metadata from nothing")
		}
	})
}
