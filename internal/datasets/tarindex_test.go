package datasets

import (
	"archive/tar"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"resnet/internal/atomicfile"
	"resnet/internal/datasets/fault/faulttest"
)

func TestHostileTrainingArchivesAreRefused(t *testing.T) {
	img := item{name: "n01440764_1.JPEG", data: []byte("\xff\xd8")}
	inner := func(items ...item) []byte { return plainTar(t, items...) }
	class := func(data []byte) item { return item{name: "n01440764.tar", data: data} }
	long := append(make([]byte, 0, 1024), plainTar(t, class(inner(img)))...)
	// The size field of the outer entry says 4 TiB (base-256 notation).
	huge := slices.Clone(long)
	copy(huge[124:136], []byte{0x80, 0, 0, 0, 0, 0, 0x04, 0, 0, 0, 0, 0})
	fixChecksum(huge[:512])
	for name, c := range map[string]struct {
		data []byte
		says string
	}{
		"a name that climbs out":      {plainTar(t, item{name: "../n01440764/x.JPEG", data: []byte("x")}), "outside"},
		"an absolute name":            {plainTar(t, item{name: "/etc/x.JPEG", data: []byte("x")}), "outside"},
		"one inside an inner archive": {plainTar(t, class(inner(item{name: "../../x.JPEG", data: []byte("x")}))), "outside"},
		"a symbolic link":             {plainTar(t, item{name: "x.JPEG", kind: tar.TypeSymlink, link: "/etc/passwd"}), "link"},
		"a hard link inside":          {plainTar(t, class(inner(item{name: "x.JPEG", kind: tar.TypeLink, link: "y.JPEG"}))), "link"},
		"a device":                    {plainTar(t, item{name: "x.JPEG", kind: tar.TypeBlock}), "device"},
		"a pipe":                      {plainTar(t, item{name: "x.JPEG", kind: tar.TypeFifo}), "special"},
		"a member twice":              {plainTar(t, class(inner(img, img))), "twice"},
		"archives three deep":         {plainTar(t, class(inner(class(inner(img))))), "archive in an archive"},
		"a very long name":            {plainTar(t, item{name: "n01440764/" + strings.Repeat("x", 300) + ".JPEG", data: []byte("x")}), "name of"},
		"a size of 4 TiB":             {huge, "cut off"},
		"cut off in an image":         {long[:1024+512+1], "cut off"},
		"not an archive":              {bytes.Repeat([]byte{7}, 2048), "entry 0"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			put(t, filepath.Join(dir, trainArchive), c.data)
			var err error
			n := faulttest.Allocated(func() { _, err = openIn(t, dir, nil) })
			if !errors.Is(err, ErrData) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), trainArchive) {
				t.Errorf("error %v, want ErrData that names the archive and says %q", err, c.says)
			}
			if n > 8<<20 {
				t.Errorf("%d bytes allocated", n)
			}
			if entries, _ := os.ReadDir(dir); len(entries) != 1 {
				t.Errorf("something was written: %v", entries)
			}
		})
	}
}

// fixChecksum makes the checksum of a header right.
func fixChecksum(h []byte) {
	copy(h[148:156], "        ")
	sum := 0
	for _, v := range h {
		sum += int(v)
	}
	for i := 153; i >= 148; i-- {
		h[i] = byte('0' + sum%8)
		sum /= 8
	}
	h[154] = 0
}

func TestATrainingArchiveCutAnywhereIsRefusedOrWhole(t *testing.T) {
	data := trainTar(t)
	whole, err := indexTar(t.Context(), bytes.NewReader(data), int64(len(data)))
	if err != nil || len(whole) != 6 {
		t.Fatalf("%d images, %v", len(whole), err)
	}
	for n := 0; n < len(data); n += 97 {
		members, err := indexTar(t.Context(), bytes.NewReader(data[:n]), int64(n))
		if err != nil && !errors.Is(err, ErrData) {
			t.Fatalf("cut after %d bytes: %v", n, err)
		}
		for _, m := range members {
			if m.offset+m.size > int64(n) {
				t.Fatalf("cut after %d bytes: a member ends at %d", n, m.offset+m.size)
			}
		}
	}
}

func TestADamagedIndexIsMadeAnew(t *testing.T) {
	dir := t.TempDir()
	archive := filepath.Join(dir, trainArchive)
	put(t, archive, trainTar(t))
	open := func() (string, []string) {
		t.Helper()
		d, err := openIn(t, dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		return describe(t, d, Train), d.Notes()
	}
	want, _ := open()
	index := archive + indexSuffix
	good, err := os.ReadFile(index)
	if err != nil {
		t.Fatal(err)
	}
	if got, notes := open(); got != want || strings.Contains(strings.Join(notes, ";"), "anew") {
		t.Fatalf("from the index: %s, notes %q", got, notes)
	}
	for at := range good {
		bad := slices.Clone(good)
		bad[at] ^= 0x10
		if _, err := parseIndex(bad, indexHead{}); !errors.Is(err, ErrData) {
			t.Fatalf("byte %d changed: %v, want ErrData", at, err)
		}
	}
	for name, damage := range map[string]func(){
		"cut off":              func() { put(t, index, good[:len(good)-3]) },
		"a byte changed":       func() { b := slices.Clone(good); b[len(b)-9] ^= 1; put(t, index, b) },
		"empty":                func() { put(t, index, nil) },
		"another version":      func() { put(t, index, []byte("resnet tar index 9\n{}\n")) },
		"of another archive":   func() { os.Chtimes(archive, time.Now(), time.Now().Add(time.Hour)) },
		"a folder of the name": func() { os.Remove(index); os.Mkdir(index, 0o755) },
	} {
		damage()
		got, notes := open()
		if got != want || !strings.Contains(strings.Join(notes, ";"), "index") {
			t.Errorf("%s: images %s, notes %q", name, got, notes)
		}
		os.Remove(index)
		open()
		if good, err = os.ReadFile(index); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
}

// TestAnIndexIsThatOfItsArchive: an archive of the same size and time with its images in another
// order, in the old file and in a new one.
func TestAnIndexIsThatOfItsArchive(t *testing.T) {
	dir := t.TempDir()
	archive := filepath.Join(dir, "x.tar")
	one, two := item{name: "a.JPEG", data: photo(t, 1)}, item{name: "bb.JPEG", data: append(photo(t, 2), 0)}
	names := func() string {
		t.Helper()
		f, members, _, err := openTar(t.Context(), archive)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		return members[0].name
	}
	put(t, archive, plainTar(t, one, two))
	if got := names(); got != "a.JPEG" {
		t.Fatal(got)
	}
	info, err := os.Stat(archive)
	if err != nil {
		t.Fatal(err)
	}
	restore := func(path string) {
		if err := os.Chtimes(path, info.ModTime(), info.ModTime()); err != nil {
			t.Fatal(err)
		}
	}
	if runtime.GOOS == "windows" {
		t.Skip("no time of change here")
	}
	put(t, archive, plainTar(t, two, one))
	restore(archive)
	if got := names(); got != "bb.JPEG" {
		t.Errorf("written over: the first image is %s", got)
	}
	put(t, archive+".new", plainTar(t, one, two))
	restore(archive + ".new")
	if err := os.Rename(archive+".new", archive); err != nil {
		t.Fatal(err)
	}
	if got := names(); got != "a.JPEG" {
		t.Errorf("another file: the first image is %s", got)
	}
}

func TestAnArchiveThatShrinksWhileItIsOpenIsAnError(t *testing.T) {
	dir := t.TempDir()
	archive := filepath.Join(dir, trainArchive)
	put(t, archive, trainTar(t))
	d, err := openIn(t, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(archive, 600); err != nil {
		t.Fatal(err)
	}
	_, err = d.Image(Train, 0, make([]byte, 192))
	if !errors.Is(err, ErrData) || !strings.Contains(err.Error(), "n01440764_13.JPEG") {
		t.Errorf("error %v, want ErrData that names the image", err)
	}
}

// FuzzTarIndex: whatever the archive, its members lie inside it, or it is ErrData.
func FuzzTarIndex(f *testing.F) {
	f.Add(trainTar(f))
	f.Add(plainTar(f, item{name: "x.JPEG", kind: tar.TypeSymlink, link: "y"}))
	f.Add(bytes.Repeat([]byte{0}, 1024))
	f.Fuzz(func(t *testing.T, data []byte) {
		members, err := indexTar(t.Context(), bytes.NewReader(data), int64(len(data)))
		if err != nil {
			if !errors.Is(err, ErrData) {
				t.Fatalf("error %v, want ErrData", err)
			}
			return
		}
		for _, m := range members {
			if m.offset < 0 || m.size < 0 || m.offset+m.size > int64(len(data)) || !filepath.IsLocal(m.name) {
				t.Fatalf("member %+v of %d bytes", m, len(data))
			}
		}
	})
}

// FuzzIndex: whatever the index, its members lie inside the archive, or it is ErrData.
func FuzzIndex(f *testing.F) {
	dir := f.TempDir()
	head := indexHead{Bytes: 1 << 20, MTime: 5}
	path := filepath.Join(dir, "x")
	if err := saveIndex(atomicfile.OS, path, head, []tarMember{{"a/b.JPEG", 512, 100}, {"a/c.JPEG", 100, 3}, {"", 1 << 19, 0}}); err != nil {
		f.Fatal(err)
	}
	data, _ := os.ReadFile(path)
	if members, err := parseIndex(data, head); err != nil || len(members) != 3 || members[1] != (tarMember{"a/c.JPEG", 100, 3}) {
		f.Fatalf("%+v, %v", members, err)
	}
	f.Add(data)
	f.Add([]byte(indexMagic + "{}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		members, err := parseIndex(data, head)
		if err != nil && !errors.Is(err, ErrData) {
			t.Fatalf("error %v, want ErrData", err)
		}
		for _, m := range members {
			if m.offset < 0 || m.size < 0 || m.offset+m.size > head.Bytes {
				t.Fatalf("member %+v", m)
			}
		}
	})
}
