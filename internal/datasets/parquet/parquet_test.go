package parquet

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go/format"

	"resnet/internal/datasets/fault"
)

func fixtures(t testing.TB) [][]byte {
	t.Helper()
	var out [][]byte
	if err := filepath.WalkDir("../../../testdata/parquet", func(p string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(p, ".parquet") {
			var data []byte
			data, err = os.ReadFile(p)
			out = append(out, data)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

// FuzzParquet: whatever the bytes, a file is refused as bad data, or its labels are as many as its
// rows and each row gives an image or such an error; what is allocated is bounded by its size.
func FuzzParquet(f *testing.F) {
	for _, data := range fixtures(f) {
		f.Add(data)
	}
	f.Add([]byte("PAR1\x00\x01\x00\x00\x00PAR1"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		file, err := Open(bytes.NewReader(data), int64(len(data)))
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > 1<<30 {
			t.Fatalf("%d bytes allocated for a file of %d", got, len(data))
		}
		if err != nil {
			if !errors.Is(err, fault.ErrData) {
				t.Fatalf("error %v, want ErrData", err)
			}
			return
		}
		if file.Labels != nil && len(file.Labels) != file.Rows {
			t.Fatalf("%d labels of %d rows", len(file.Labels), file.Rows)
		}
		c := NewCache(1 << 20)
		for row := range min(file.Rows, 20) {
			if _, err := file.Image(c, row); err != nil && !errors.Is(err, fault.ErrData) {
				t.Fatalf("row %d: error %v, want ErrData", row, err)
			}
		}
		if c.bytes > c.most {
			t.Fatalf("%d bytes in a cache of %d", c.bytes, c.most)
		}
	})
}

// TestEveryByteMayBeWrong changes each byte of the smallest files: nothing panics, and every error
// is of bad data.
func TestEveryByteMayBeWrong(t *testing.T) {
	for _, data := range fixtures(t) {
		for at := 0; at < len(data); at += 1 + len(data)/1500 {
			for _, flip := range []byte{0x01, 0x80, 0xff} {
				harmed := bytes.Clone(data)
				harmed[at] ^= flip
				file, err := Open(bytes.NewReader(harmed), int64(len(harmed)))
				if err == nil {
					c := NewCache(1 << 20)
					for row := 0; row < min(file.Rows, 20) && err == nil; row++ {
						_, err = file.Image(c, row)
					}
				}
				if err != nil && !errors.Is(err, fault.ErrData) {
					t.Fatalf("byte %d: error %v", at, err)
				}
			}
		}
	}
}

// TestListsAreNotAllocatedBeforeTheyAreRead: the library makes a list of what its length says.
func TestListsAreNotAllocatedBeforeTheyAreRead(t *testing.T) {
	// FileMetaData with version 1 and a schema of 2^31-1 elements, of which none is there.
	footer := []byte{0x15, 2, 0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 7}
	data := append(append([]byte("PAR1"), footer...), byte(len(footer)), 0, 0, 0)
	data = append(data, "PAR1"...)
	allocated := testing.AllocsPerRun(1, func() {
		if _, err := Open(bytes.NewReader(data), int64(len(data))); !errors.Is(err, fault.ErrData) || !strings.Contains(err.Error(), "entries") {
			t.Errorf("error %v", err)
		}
	})
	if allocated > 100 {
		t.Errorf("%v allocations", allocated)
	}
}

// TestCacheIsBounded holds the pages that were used last.
func TestCacheIsBounded(t *testing.T) {
	c := NewCache(100)
	for at := range int64(5) {
		c.put(&cached{key: cacheKey{at: at}, bytes: 40})
		c.get(cacheKey{at: 0})
	}
	c.put(&cached{key: cacheKey{at: 9}, bytes: 101})
	for at, want := range []bool{true, false, false, false, true, false, false, false, false, false} {
		if _, ok := c.get(cacheKey{at: int64(at)}); ok != want {
			t.Errorf("page %d is there: %v", at, ok)
		}
	}
	if c.bytes != 80 {
		t.Errorf("%d bytes, want 80", c.bytes)
	}
}

// TestDigestIsOfFooterHeadersAndSamples: a byte of the footer or of a sample changes it, and those
// of a page that lie outside of the sample do not.
func TestDigestIsOfFooterHeadersAndSamples(t *testing.T) {
	data := fixtures(t)[0]
	file, err := Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	page := file.groups[0].pages[0]
	digest := func(at int64, sample int) string {
		t.Helper()
		harmed := bytes.Clone(data)
		if at >= 0 {
			harmed[at] ^= 1
		}
		file.in = bytes.NewReader(harmed)
		var b bytes.Buffer
		if err := file.Digest(&b, sample); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	for what, c := range map[string]struct {
		at     int64
		sample int
		same   bool
	}{
		"nothing":                  {-1, 8, true},
		"the footer":               {file.size, 8, false},
		"the middle of a page":     {page.at + int64(page.size)/2, 8, false},
		"the beginning of one":     {page.at, 8, true},
		"the beginning, all of it": {page.at, int(page.size), false},
		"the end, and more":        {page.at + int64(page.size) - 1, 1 << 20, false},
	} {
		if same := digest(c.at, c.sample) == digest(-1, c.sample); same != c.same {
			t.Errorf("%s: the same: %v", what, same)
		}
	}
	pages := 0
	for _, g := range file.groups {
		if pages += len(g.pages); g.dictionary != nil {
			pages++
		}
	}
	if got := file.Pages(); got != pages || got == 0 {
		t.Errorf("%d pages, want %d", got, pages)
	}
	page.crc++
	file.groups[0].pages[0] = page
	if other := digest(-1, 8); other == func() string { page.crc--; file.groups[0].pages[0] = page; return digest(-1, 8) }() {
		t.Error("another checksum has the same digest")
	}
}

// TestPagesAreHeldToWhatTheirBytesCanBecome: a header that claims more is refused, for each codec
// at its own bound.
func TestPagesAreHeldToWhatTheirBytesCanBecome(t *testing.T) {
	for _, c := range []struct {
		codec format.CompressionCodec
		most  int32 // of 1000 bytes
	}{{format.Uncompressed, 64 + 1000}, {format.Snappy, 64 + 64*1000}, {format.Zstd, 64 + 1000<<15}, {format.Gzip, 64 + 1000<<15}} {
		for _, full := range []int32{c.most, c.most + 1} {
			head := format.PageHeader{Type: format.DictionaryPage, CompressedPageSize: 1000, UncompressedPageSize: full}
			if _, err := pageOf(head, column{}, c.codec); (err != nil) != (full > c.most) {
				t.Errorf("%v: %d bytes: %v", c.codec, full, err)
			}
		}
	}
	for _, h := range []format.PageHeader{
		{CompressedPageSize: -1}, {UncompressedPageSize: -1}, {CompressedPageSize: maxPage, UncompressedPageSize: maxPage + 1}, {CompressedPageSize: maxPage + 1},
	} {
		h.Type = format.DictionaryPage
		if _, err := pageOf(h, column{}, format.Zstd); err == nil {
			t.Errorf("%+v is taken", h)
		}
	}
}

// TestAPageHasNoMoreRowsThanItsGroup: rows of one group would be taken for those of the next.
func TestAPageHasNoMoreRowsThanItsGroup(t *testing.T) {
	tried := 0
	for _, data := range fixtures(t) {
		f := &File{in: bytes.NewReader(data)}
		meta, err := f.readFooter(int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err = f.findColumns(meta.Schema); err != nil {
			t.Fatal(err)
		}
		group := meta.RowGroups[0]
		whole, err := f.readChunk(group, f.images, maxPageValues)
		if err != nil {
			t.Fatal(err)
		}
		if whole.pages[len(whole.pages)-1].values == 1 { // without it the others are whole
			continue
		}
		tried++
		group.NumRows--
		if _, err := f.readChunk(group, f.images, maxPageValues); !errors.Is(err, errPageSize) || !errors.Is(err, fault.ErrData) {
			t.Errorf("a row fewer in the group than in its pages: %v", err)
		}
		group.NumRows += 2
		if _, err := f.readChunk(group, f.images, maxPageValues); !errors.Is(err, fault.ErrData) {
			t.Errorf("a row more: %v", err)
		}
	}
	if tried == 0 {
		t.Error("no fixture's last page has two rows")
	}
}
