package datasets

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// fuzzBudget is what reading a few small records may allocate, decompressor included.
const fuzzBudget = 4 << 20

// limited fails if f allocates more than fuzzBudget.
func limited(t *testing.T, f func()) {
	t.Helper()
	var a, b runtime.MemStats
	runtime.ReadMemStats(&a)
	f()
	runtime.ReadMemStats(&b)
	if n := b.TotalAlloc - a.TotalAlloc; n > fuzzBudget {
		t.Fatalf("%d bytes allocated", n)
	}
}

// FuzzCIFAR: whatever the bytes, the reader accepts exactly whole records with labels in range, and
// else says ErrData.
func FuzzCIFAR(f *testing.F) {
	record := append([]byte{3}, make([]byte, cifarPixels)...)
	hundred := append([]byte{19, 99}, make([]byte, cifarPixels)...)
	f.Add(false, bytes.Repeat(record, 2))
	f.Add(true, bytes.Repeat(hundred, 2))
	f.Add(false, append([]byte{10}, make([]byte, 2*cifarPixels+1)...))
	f.Add(false, bytes.Repeat(record, 2)[1:])
	f.Add(true, append(bytes.Repeat(hundred, 2), 0))
	f.Add(false, []byte{})
	f.Fuzz(func(t *testing.T, hundred bool, data []byte) {
		l := cifar10
		if hundred {
			l = cifar100
		}
		const n = 2
		pixels, labels := make([]byte, n*cifarPixels), make([]uint8, n)
		var err error
		limited(t, func() { err = l.readRecords(bytes.NewReader(data), n, pixels, labels) })
		valid := len(data) == n*l.recordSize()
		for i := 0; valid && i < n; i++ {
			for b, count := range l.counts {
				valid = valid && int(data[i*l.recordSize()+b]) < count
			}
		}
		if valid != (err == nil) || err != nil && !errors.Is(err, ErrData) {
			t.Fatalf("%d bytes: error %v, want one: %v", len(data), err, !valid)
		}
		for i, label := range labels {
			rec := data
			if valid && (label != rec[(i+1)*l.recordSize()-cifarPixels-1] || !bytes.Equal(pixels[i*cifarPixels:(i+1)*cifarPixels], rec[(i+1)*l.recordSize()-cifarPixels:(i+1)*l.recordSize()])) {
				t.Fatalf("record %d was not read as it stands", i)
			}
		}
	})
}

// FuzzCIFARPickle: whatever the bytes, the reader gives whole images with a label of each, or says
// ErrData, and takes no more memory than the file's size allows.
func FuzzCIFARPickle(f *testing.F) {
	const state = "cnumpy\ndtype\nU\x02u1\x89\x88\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
	data := "T\x00\x0c\x00\x00" + strings.Repeat("a", cifarPixels)
	one := "\x80\x02}(U\x06labels]K\x07aU\x04datacnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01K\x01M\x00\x0c\x86" + state + "\x89" + data + "tbu."
	f.Add(false, []byte(one))
	f.Add(true, []byte(strings.Replace(one, "U\x06labels]K\x07a", "U\x0bfine_labels]K\x63aU\x0dcoarse_labels]K\x13a", 1)))
	f.Add(false, []byte("\x80\x05}\x8c\x04data\x8c\x13numpy._core.numeric\x8c\x0b_frombuffer\x93("+data+state+"K\x01M\x00\x0c\x86\x8c\x01CtRs."))
	f.Add(false, []byte("\x80\x02c_codecs\nencode\nX\x02\x00\x00\x00\xc3\xa9X\x06\x00\x00\x00latin1\x86R."))
	f.Fuzz(func(t *testing.T, hundred bool, data []byte) {
		l := cifar10
		if hundred {
			l = cifar100
		}
		var pixels string
		var labels []uint8
		var err error
		limited(t, func() {
			pixels, labels, err = l.parsePickle(bufio.NewReader(bytes.NewReader(data)), int64(len(data)), 2)
		})
		if err != nil {
			if !errors.Is(err, ErrData) {
				t.Fatal(err)
			}
			return
		}
		if n := len(labels); n < 1 || n > 2 || len(pixels) != n*cifarPixels || int(slices.Max(labels)) >= len(l.names) {
			t.Fatalf("%d bytes of pixels, labels %v", len(pixels), labels)
		}
	})
}

// FuzzIDX: whatever the bytes, plain or compressed, the reader returns exactly the values of the
// wanted dimensions, or ErrData.
func FuzzIDX(f *testing.F) {
	plain := []byte{0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 3}
	plain = append(plain, make([]byte, 18)...)
	f.Add(plain)
	f.Add(plain[:20])
	f.Add(append(plain[:33:33], 1, 2))
	f.Add([]byte{0, 0, 8, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255})
	f.Add([]byte{0, 0, 13, 3})
	f.Add([]byte{0x1f, 0x8b, 8, 0})
	f.Add(gzipOf(plain))
	f.Add(gzipOf(plain)[:30])
	f.Add(gzipOf(append(plain, make([]byte, 1<<20)...)))
	f.Fuzz(func(t *testing.T, data []byte) {
		var values []byte
		var err error
		limited(t, func() { values, err = readIDX(bytes.NewReader(data), []int{2, 3, 3}) })
		if err == nil && len(values) != 18 || err != nil && !errors.Is(err, ErrData) {
			t.Fatalf("%d values, error %v", len(values), err)
		}
		if len(data) == len(plain) && bytes.Equal(data[:16], plain[:16]) && !bytes.Equal(values, data[16:]) {
			t.Fatal("the values were not read as they stand")
		}
	})
}

// FuzzUnpack: whatever the archive, nothing outside the folder changes, and inside it there are the
// members or nothing.
func FuzzUnpack(f *testing.F) {
	f.Add(archiveOf(f, good...))
	f.Add(archiveOf(f, append([]item{{name: "../evil", data: []byte("x")}}, good...)...))
	f.Add(archiveOf(f, append([]item{{name: "set", kind: '2', link: ".."}}, good...)...))
	f.Add([]byte{0x1f, 0x8b, 8, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		outer, inner, err := unpackIn(t, data, twoMembers)
		if entries, _ := os.ReadDir(outer); len(entries) != 1 {
			t.Fatalf("written outside: %v", entries)
		}
		inside := len(tree(t, inner))
		if _, e := os.Stat(filepath.Join(inner, "set", "two.bin")); (err == nil) != (e == nil) || err == nil && inside != 3 || err != nil && inside != 0 {
			t.Fatalf("%d entries inside, error %v", inside, err)
		}
	})
}

// FuzzPackIndex: whatever the bytes, an index that is accepted has its images inside the data, one
// after another to the end.
func FuzzPackIndex(f *testing.F) {
	entry := []byte{1, 'a', 2, 10, 1, 2, 3, 4}
	f.Add(bytes.Repeat(entry, 2), 2, int64(20))
	f.Add(entry, 1, int64(9))
	f.Add(entry[:7], 1, int64(10))
	f.Add([]byte{}, 1, int64(0))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}, 1, int64(10))
	f.Fuzz(func(t *testing.T, data []byte, images int, size int64) {
		if images < 1 || images > len(data) || size < 0 { // parseHead refuses these
			return
		}
		limited(t, func() {
			l, err := parsePackIndex(data, images, 3, size)
			if err != nil {
				if !errors.Is(err, ErrData) {
					t.Errorf("%v is no ErrData", err)
				}
				return
			}
			if l.count() != images || l.offsets[images] != size {
				t.Errorf("%d images that end at %d of %d", l.count(), l.offsets[images], size)
			}
			for i := range images {
				if l.label(i) < 0 || l.label(i) > 2 || l.offsets[i+1] < l.offsets[i] {
					t.Errorf("image %d: label %d, from %d to %d", i, l.label(i), l.offsets[i], l.offsets[i+1])
				}
			}
		})
	})
}

// FuzzPackHead: whatever the bytes, pack.json is accepted with counts in range, or refused with
// ErrData.
func FuzzPackHead(f *testing.F) {
	f.Add([]byte(`{"version":1,"classes":["a"],"splits":{"train":{"images":1,"index_bytes":8,"data_bytes":10}}}`))
	f.Add([]byte(`{"version":1,"classes":["a"],"splits":{"train":{"images":1000000000000,"index_bytes":8}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := parseHead(data)
		if err != nil {
			if !errors.Is(err, ErrData) {
				t.Errorf("%v is no ErrData", err)
			}
			return
		}
		for s, p := range h.Splits {
			if p.Images < 1 || int64(p.Images) > p.IndexBytes {
				t.Errorf("%s: %+v", s, p)
			}
		}
	})
}

// FuzzLabels: whatever the text, every label is a class of ILSVRC-2012, or it is ErrData that names
// the file.
func FuzzLabels(f *testing.F) {
	f.Add([]byte("ILSVRC2012_val_00000001.JPEG 65\nILSVRC2012_val_00000002.JPEG 970\n"))
	f.Add([]byte("ILSVRC2012_val_00000001.JPEG 490\nILSVRC2012_val_00000002.JPEG 361\n"))
	f.Add([]byte("ImageId,PredictionString\nILSVRC2012_val_00000001,n01751748 1 2 3 4\n"))
	f.Add([]byte("n01440764\r\nn01443537\r\n"))
	f.Add([]byte("65\n"))
	f.Add([]byte("a 0\na 0\n"))
	f.Add([]byte("a 1000\n"))
	f.Add([]byte{0, '\n', 0xff})
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := parseLabels("list.txt", data)
		if err != nil {
			if !errors.Is(err, ErrData) || !strings.Contains(err.Error(), "list.txt") {
				t.Fatalf("error %v, want ErrData that names the file", err)
			}
			return
		}
		if len(l.byName)+len(l.ranks) == 0 {
			t.Fatal("accepted without a label")
		}
		for name, k := range l.byName {
			if got, err := l.of(name + ".JPEG"); k < 0 || k > 999 || err != nil && filepath.Ext(name) == "" || err == nil && (got < 0 || got > 999) {
				t.Fatalf("%q is %d, looked up as %d, %v", name, k, got, err)
			}
		}
		for _, k := range l.ranks {
			if k < 0 || k > 999 {
				t.Fatalf("rank %d", k)
			}
		}
	})
}

// FuzzDevkit: whatever the archive and the two files in it, the labels are classes, or it is
// ErrData.
func FuzzDevkit(f *testing.F) {
	meta, err := os.ReadFile(filepath.Join("..", "..", "testdata", "devkit", "meta.mat"))
	if err != nil {
		f.Fatal(err)
	}
	kit := func(items ...item) []byte { return gzipOf(plainTar(f, items...)) }
	table, truth := item{name: "ILSVRC2012_devkit_t12/data/" + metaName, data: meta}, item{name: "ILSVRC2012_devkit_t12/data/" + truthName, data: []byte("490\n361\n")}
	whole := kit(table, truth)
	if files, err := readDevkit(bytes.NewReader(whole)); err != nil || !bytes.Equal(files[metaName], meta) {
		f.Fatalf("the sound kit: %v", err)
	}
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add(kit(table))
	f.Add(kit(item{name: metaName, data: meta[:300]}, item{name: truthName, data: []byte("0\n")}))
	f.Add(kit(truth, item{name: metaName, kind: '2', link: "/etc/passwd"}))
	f.Add([]byte{0x1f, 0x8b, 8, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		files, err := readDevkit(bytes.NewReader(data))
		if err == nil {
			var k *devkit
			if k, err = newDevkit("kit", files[metaName], files[truthName]); err == nil {
				for _, id := range k.truth {
					if rank, ok := k.rank[id]; !ok || rank < 0 || rank > 999 {
						t.Fatalf("ILSVRC2012_ID %d has rank %d, %v", id, rank, ok)
					}
				}
			}
		}
		if err != nil && !errors.Is(err, ErrData) {
			t.Fatalf("error %v, want ErrData", err)
		}
	})
}

// FuzzNormalizer: whatever the text, a normaliser that decodes and fits an image leaves it finite.
func FuzzNormalizer(f *testing.F) {
	for _, n := range []Normalizer{{Kind: NoNormalizing}, imagenetNormalizer, {Kind: PixelMean, Mean: make([]float32, 12)}} {
		text, err := n.Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add(`{"kind":"channel-mean-std","mean":[0,0,0],"std":[0,1,1]}`)
	f.Add(`{"kind":"channel-mean-std","mean":[1e38,0,0],"std":[1e-45,1,1]}`)
	f.Add(`{"kind":"x"}`)
	f.Fuzz(func(t *testing.T, text string) {
		n, err := DecodeNormalizer(text)
		if err != nil {
			if !errors.Is(err, ErrData) {
				t.Fatalf("error %v, want ErrData", err)
			}
			return
		}
		if n.Check(3, 2, 2) != nil {
			return
		}
		again, err := n.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if m, err := DecodeNormalizer(again); err != nil || m.Check(3, 2, 2) != nil {
			t.Fatalf("%q is read again as %+v, %v", again, m, err)
		}
	})
}
