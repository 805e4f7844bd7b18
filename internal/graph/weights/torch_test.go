package weights

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"resnet/internal/pickle"
)

const torchFixtures = "../../../testdata/torch/"

// tensorsOf are the tensors of a file under their own names.
func tensorsOf(t *testing.T, path string) []Tensor {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	list, err := readTensors(bytes.NewReader(b), int64(len(b)), path)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestFilesOfTorchHoldTheTensorsOfSafetensors(t *testing.T) {
	want := tensorsOf(t, torchFixtures+"tiny.safetensors")
	byName := map[string]Tensor{}
	for _, w := range want {
		byName[w.Name] = w
	}
	for _, file := range []string{"tiny.pth", "tiny-legacy.pth"} {
		got := tensorsOf(t, torchFixtures+file)
		if len(got) != len(want) {
			t.Fatalf("%s: %d tensors, want %d", file, len(got), len(want))
		}
		for _, g := range got {
			w, ok := byName[strings.TrimPrefix(g.Name, "module.")]
			if !ok || len(g.Data) != len(w.Data) {
				t.Fatalf("%s: %s: %d values, want %d", file, g.Name, len(g.Data), len(w.Data))
			}
			for i := range w.Data {
				if g.Data[i] != w.Data[i] {
					t.Fatalf("%s: %s: value %d is %v, want %v", file, g.Name, i, g.Data[i], w.Data[i])
				}
			}
		}
	}
}

// TestTheFirstVersionOfTensorsIsRead: what PyTorch wrote before 0.4, and akamaster's CIFAR networks
// are in, has neither requires_grad nor hooks.
func TestTheFirstVersionOfTensorsIsRead(t *testing.T) {
	v2 := tensorPickle("K\x02", "K\x02", "K\x01")
	v1 := strings.NewReplacer("_rebuild_tensor_v2", "_rebuild_tensor", "\x89ccollections\nOrderedDict\n)R", "").Replace(v2)
	if strings.Contains(v1, "OrderedDict") || !strings.Contains(v1, "_rebuild_tensor\n") {
		t.Fatalf("%q", v1)
	}
	file := zipped(t, map[string]string{"a/data.pkl": v1, "a/data/0": "\x00\x00\x80?\x00\x00\x00\xc0"}, zip.Store)
	list, err := readTensors(bytes.NewReader(file), int64(len(file)), "x.pth")
	if err != nil || len(list) != 1 || list[0].Name != "w" || !slices.Equal(list[0].Data, []float32{1, -2}) {
		t.Errorf("%v, %v", list, err)
	}
}

// zipped is a file of torch.save around a pickle.
func zipped(t testing.TB, members map[string]string, method uint16) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range members {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// tensorPickle is {"w": tensor} with a storage of so many elements and a shape, each as pickle
// text.
func tensorPickle(elements, shape, stride string) string {
	return "\x80\x02}X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpu" +
		elements + "tQK\x00(" + shape + "t(" + stride + "t\x89ccollections\nOrderedDict\n)RtRs."
}

// pairs is n pairs of a number and None, as pickle text.
func pairs(n int) string {
	var b strings.Builder
	for i := range n {
		b.Write([]byte{'M', byte(i), byte(i >> 8), 'N', 0x86})
	}
	return b.String()
}

// yardstick is the time of as many bytes read and memo entries written as a pickle may have
// operations, on this machine and as busy as it is.
func yardstick() time.Duration {
	start := time.Now()
	in := bufio.NewReader(bytes.NewReader(make([]byte, 2*pickle.MaxOps)))
	memo := map[uint32]any{}
	for range pickle.MaxOps {
		a, _ := in.ReadByte()
		b, _ := in.ReadByte()
		memo[uint32(a)] = int64(b)
	}
	return time.Since(start)
}

// checkCheap requires that refusing a file takes memory in proportion to the limits and not to what
// it claims, and less than a second; on a machine that is slow, emulated or busy, as many times
// what plain reading takes there. Memory is exact: it is what was allocated, not the resident set.
// A pause of the machine passes, so the quickest of a few attempts counts.
func checkCheap(t *testing.T, name string, file []byte) (err error) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var took, limit time.Duration
	for attempt := range 4 {
		start := time.Now()
		_, err = readTensors(bytes.NewReader(file), int64(len(file)), "x.pth")
		took = time.Since(start)
		if attempt == 0 {
			runtime.ReadMemStats(&after)
			if got, most := after.TotalAlloc-before.TotalAlloc, uint64(2*pickle.MaxMemory+4*len(file)); got > most {
				t.Errorf("%s: %d bytes allocated for a file of %d; at most %d", name, got, len(file), most)
			}
		}
		if took < time.Second {
			return err
		}
		if limit = 40 * yardstick(); took < limit {
			return err
		}
	}
	t.Errorf("%s took %v; at most a second, or %v on this machine", name, took, limit)
	return err
}

func TestHostilePicklesAreRefused(t *testing.T) {
	huge := "\x8a\x06\x00\x00\x00\x00\x00\x01" // 2^40
	for _, c := range []struct{ name, pickle, want string }{
		{"os.system", "\x80\x02cos\nsystem\nX\x02\x00\x00\x00id\x85R.", `"os.system"`},
		{"builtins.eval by STACK_GLOBAL", "\x80\x04\x8c\x08builtins\x8c\x04eval\x93.", `"builtins.eval"`},
		{"a class by INST", "\x80\x02(S'id'\nios\nsystem\n.", "operation"},
		{"an extension code", "\x80\x02\x82\x01.", "operation"},
		{"an integer of 200 bytes", "\x80\x02\x8a\xc8" + strings.Repeat("\xff", 200) + ".", `"int"`},
		{"text of 4 GB", "\x80\x02X\xff\xff\xff\xff.", "are left"},
		{"text of 2^63 bytes", "\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x7f.", "are left"},
		{"tuples a million deep", "\x80\x02)" + strings.Repeat("\x85", 1_000_000) + ".", "no dictionary"},
		{"three million operations", "\x80\x02" + strings.Repeat("N0", 1_500_000) + "N.", "more than 2000000 operations"},
		{"a flood of BINPUT", "\x80\x02N" + strings.Repeat("q\x01", 2_500_000) + ".", "more than 2000000 operations"},
		{"a stack of a million", "\x80\x02" + strings.Repeat("N", 1_000_000) + ".", "values on the stack"},
		{"a memo of two million", "\x80\x02N" + strings.Repeat("\x94", 1_900_000) + ".", "take more than 64 MB"},
		{"texts in the memo", "\x80\x02" + strings.Repeat("U\x0a0123456789\x940", 660_000) + "N.", "take more than 64 MB"},
		{"a million dictionaries", "\x80\x02N" + strings.Repeat("}0", 999_999) + ".", "take more than 64 MB"},
		{"half a million tuples of a shared one", "\x80\x02(" + strings.Repeat("N", 1000) + "tq\x01" + strings.Repeat("h\x01\x850", 660_000) + ".", "no dictionary"},
		{"ten thousand dictionaries of a shared list", "\x80\x02ccollections\nOrderedDict\nq\x00](" + pairs(1000) + "e\x85q\x010" + strings.Repeat("h\x00h\x01R0", 10_000) + ".", "take more than 64 MB"},
		{"an archive in the place of the pickle", string(zipped(t, map[string]string{"a/data.pkl": "\x80\x02}."}, zip.Store)), "operation 0x50"},
		{"a key twice", "\x80\x02}(X\x01\x00\x00\x00aNX\x01\x00\x00\x00aNu.", `duplicate key "a"`},
		{"a list as a key", "\x80\x02}]Ns.", "no tensors by name"},
		{"nothing on the stack", "\x80\x02R.", "without its operands"},
		{"a mark as a value", "\x80\x02(\x85.", "without its operands"},
		{"an empty memo", "\x80\x02h\x05.", "memo 5 is empty"},
		{"a pickle that ends early", "\x80\x02}X\x05\x00", "are left"},
		{"a pickle without an end", "\x80\x02}", "are left"},
		{"a storage of 2^40 elements", tensorPickle(huge, huge, "K\x01"), "more values than the file has bytes"},
		{"a tensor beyond its storage", tensorPickle("K\x01", "K\x02", "K\x01"), "beyond its storage"},
		{"a tensor that repeats one element", tensorPickle("K\x01", huge, "K\x00"), "beyond its storage"},
		{"a shape that overflows", tensorPickle("K\x01", huge+huge, "K\x01K\x01"), "overflows"},
		{"a negative size", tensorPickle("K\x01", "J\xff\xff\xff\xff", "K\x01"), "without storage"},
		{"a storage that is not there", strings.Replace(tensorPickle("K\x01", "K\x01", "K\x01"), "X\x01\x00\x00\x000", "X\x01\x00\x00\x009", 1), "has no"},
		{"a storage outside the archive", strings.Replace(tensorPickle("K\x01", "K\x01", "K\x01"), "X\x01\x00\x00\x000", "X\x09\x00\x00\x00../../etc", 1), "has no"},
	} {
		for _, legacy := range []bool{false, true} {
			b := zipped(t, map[string]string{"a/data.pkl": c.pickle, "a/data/0": "\x00\x00\x80?"}, zip.Store)
			if legacy { // the object's pickle is the fourth; what follows it is missing
				b = append(bytes.Clone(legacyMagic), "\x80\x02M\xe9\x03.\x80\x02}X\x0d\x00\x00\x00little_endian\x88s."...)
				b = append(b, c.pickle...)
			}
			err := checkCheap(t, c.name, b)
			if err == nil || !errors.Is(err, ErrTorch) {
				t.Errorf("%s (legacy %v): %v", c.name, legacy, err)
			} else if !legacy && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v; want %q in it", c.name, err, c.want)
			}
		}
	}
}

// A file of the legacy format lists its storages in a pickle of its own: whatever stands there is
// described, never printed, since tuples of tuples that share their parts would have no end.
func TestTheListOfStoragesIsDescribedNotPrinted(t *testing.T) {
	head := string(legacyMagic) + "\x80\x02M\xe9\x03.\x80\x02}X\x0d\x00\x00\x00little_endian\x88s.\x80\x02}."
	shared := "\x80\x02Nq\x00" + strings.Repeat("h\x00h\x00\x86q\x00", 60) // 2^60 leaves
	for _, c := range []struct{ name, file, want string }{
		{"a key that is a tuple of 2^60 parts", head + shared + "q\x01]h\x01a.", "a tuple, which no tensor names"},
		{"a key that is a list of itself", head + "\x80\x02]]q\x00h\x00aa.", "a list, which no tensor names"},
		{"a version that is a tuple of 2^60 parts", string(legacyMagic) + shared + strings.Repeat(".\x80\x02}", 3) + ".", "version a tuple"},
		{"a key of a dictionary", string(legacyMagic) + shared + "}h\x00Ns.", "at most 0 are left"},
	} {
		err := checkCheap(t, c.name, []byte(c.file))
		if !errors.Is(err, ErrTorch) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q in it", c.name, err, c.want)
		}
	}
}

func TestHostileZipsAreRefused(t *testing.T) {
	good := tensorPickle("K\x01", "K\x01", "K\x01")
	ok := zipped(t, map[string]string{"a/data.pkl": good, "a/data/0": "\x00\x00\x80?"}, zip.Store)
	if list, err := readTensors(bytes.NewReader(ok), int64(len(ok)), "x.pth"); err != nil || len(list) != 1 || list[0].Data[0] != 1 {
		t.Fatalf("the sound archive: %v, %v", list, err)
	}
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"a bomb", zipped(t, map[string]string{"a/data.pkl": good, "a/data/0": strings.Repeat("\x00", 100<<20)}, zip.Deflate), "compressed"},
		{"another byte order", zipped(t, map[string]string{"a/data.pkl": good, "a/data/0": "\x00\x00\x80?", "a/byteorder": "big"}, zip.Store), "little-endian"},
		{"no pickle", zipped(t, map[string]string{"../../etc/passwd": "x"}, zip.Store), "data.pkl"},
		{"changed data", bytes.Replace(ok, []byte("\x00\x00\x80?"), []byte("\x00\x00\x81?"), 1), "checksum"},
	} {
		if _, err := readTensors(bytes.NewReader(c.file), int64(len(c.file)), "x.pth"); !errors.Is(err, ErrTorch) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestFilesOfTorchCutAnywhereAreRefused(t *testing.T) {
	for _, name := range []string{"tiny.pth", "tiny-legacy.pth"} {
		b, err := os.ReadFile(torchFixtures + name)
		if err != nil {
			t.Fatal(err)
		}
		for n := 0; n < len(b); n += 1 + len(b)/400 {
			if _, err := readTensors(bytes.NewReader(b[:n]), int64(n), name); err == nil {
				t.Errorf("%s: the first %d of %d bytes were taken for a file", name, n, len(b))
			}
		}
	}
}

// TestALargeDirectoryOfAZipIsRefusedUnread: archive/zip makes a record of every member that the
// directory lists, several times what it takes in the file, and reads on past the size that the
// directory is said to have.
func TestALargeDirectoryOfAZipIsRefusedUnread(t *testing.T) {
	const most = 16 << 20
	for _, c := range []struct {
		size  int
		zip64 bool
		said  uint32 // where the size is not the truth
		want  string
	}{
		{size: most},
		{size: most + 1, want: "directory takes 16777217 bytes; at most 16777216"},
		{size: most, zip64: true},
		{size: most + 1, zip64: true, want: "directory takes 16777217 bytes; at most 16777216"},
		{size: most, zip64: true, said: 46, want: "contradicts itself"},
		{size: most + 1, said: 46, want: "not where it says"},
	} {
		file := make([]byte, 4+c.size, c.size+200)
		copy(file, "PK\x03\x04")
		short, offset := uint32(c.size), uint32(4)
		if c.zip64 {
			record, locator := make([]byte, 56), make([]byte, 20)
			copy(record, "PK\x06\x06")
			binary.LittleEndian.PutUint64(record[40:], uint64(c.size))
			binary.LittleEndian.PutUint64(record[48:], 4)
			copy(locator, "PK\x06\x07")
			binary.LittleEndian.PutUint64(locator[8:], uint64(len(file)))
			file = append(append(file, record...), locator...)
			short, offset = math.MaxUint32, math.MaxUint32
		}
		if c.said != 0 {
			short = c.said
		}
		end := make([]byte, 22)
		copy(end, "PK\x05\x06")
		binary.LittleEndian.PutUint32(end[12:], short)
		binary.LittleEndian.PutUint32(end[16:], offset)
		file = append(file, end...)
		err := checkZipDirectory(bytes.NewReader(file), int64(len(file)))
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func FuzzTorch(f *testing.F) {
	for _, name := range []string{"tiny.pth", "tiny-legacy.pth", "runs.pth", "runs-legacy.pth"} {
		b, err := os.ReadFile(torchFixtures + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add(zipped(f, map[string]string{"a/data.pkl": tensorPickle("K\x01", "K\x01", "K\x01"), "a/data/0": "\x00\x00\x80?"}, zip.Store))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := readTensors(bytes.NewReader(b), int64(len(b)), "fuzz")
		if err != nil {
			return
		}
		total := 0
		for _, x := range list {
			total += len(x.Data)
		}
		if total > len(b) {
			t.Errorf("%d values from %d bytes", total, len(b))
		}
	})
}

// FuzzPickle reaches the machine of the pickle without an archive around it.
func FuzzPickle(f *testing.F) {
	f.Add([]byte(tensorPickle("K\x01", "K\x01", "K\x01")))
	f.Fuzz(func(t *testing.T, b []byte) {
		file := zipped(t, map[string]string{"a/data.pkl": string(b), "a/data/0": "\x00\x00\x80?"}, zip.Store)
		_, _ = readTensors(bytes.NewReader(file), int64(len(file)), "fuzz") // must not panic
	})
}
