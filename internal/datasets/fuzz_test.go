package datasets

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
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

// FuzzCIFAR: whatever the bytes, the reader accepts exactly whole records with labels in range, and else says ErrData.
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

// FuzzIDX: whatever the bytes, plain or compressed, the reader returns exactly the values of the wanted dimensions, or ErrData.
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

// FuzzUnpack: whatever the archive, nothing outside the folder changes, and inside it there are the members or nothing.
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

// FuzzPackIndex: whatever the bytes, an index that is accepted has its images inside the data, one after another to the end.
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

// FuzzPackHead: whatever the bytes, pack.json is accepted with counts in range, or refused with ErrData.
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
