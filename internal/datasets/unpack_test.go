package datasets

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// item is an entry of a test archive.
type item struct {
	name string
	kind byte
	link string
	data []byte
	mode int64
}

func archiveOf(t testing.TB, items ...item) []byte {
	t.Helper()
	b, err := makeArchive(items...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func makeArchive(items ...item) ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, it := range items {
		if it.kind == 0 {
			it.kind = tar.TypeReg
		}
		if it.mode == 0 {
			it.mode = 0o644
		}
		h := &tar.Header{Name: it.name, Typeflag: it.kind, Linkname: it.link, Size: int64(len(it.data)), Mode: it.mode, Format: tar.FormatPAX}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		w.Write(it.data)
	}
	err := errors.Join(w.Close(), z.Close())
	return b.Bytes(), err
}

var (
	oneData    = []byte("the first member")
	twoData    = []byte("the second")
	twoMembers = []member{
		{"set/one.bin", int64(len(oneData)), sha256Of(oneData)},
		{"set/two.bin", int64(len(twoData)), md5Of(twoData)},
	}
	good = []item{{name: "set/", kind: tar.TypeDir}, {name: "./set/one.bin", data: oneData}, {name: "set/readme.html", data: []byte("not wanted")}, {name: "set/two.bin", data: twoData, mode: 0o4755}}
)

// tree lists a folder with contents; folders end in a slash.
func tree(t testing.TB, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		switch {
		case d.IsDir():
			rel += "/"
		case d.Type().IsRegular():
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			rel += "=" + string(data)
		default:
			rel += "@" + d.Type().String()
		}
		out = append(out, rel)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// unpackIn writes the archive beside an inner folder and unpacks into that.
func unpackIn(t testing.TB, archive []byte, members []member) (outer, inner string, err error) {
	t.Helper()
	outer = t.TempDir()
	inner = filepath.Join(outer, "data")
	path := filepath.Join(t.TempDir(), "a.tar.gz")
	if err := errors.Join(os.Mkdir(inner, 0o755), os.WriteFile(path, archive, 0o644)); err != nil {
		t.Fatal(err)
	}
	return outer, inner, unpack(context.Background(), path, inner, members)
}

func TestUnpackTakesTheMembersAlone(t *testing.T) {
	_, inner, err := unpackIn(t, archiveOf(t, good...), twoMembers)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"set/", "set/one.bin=" + string(oneData), "set/two.bin=" + string(twoData)}
	if got := tree(t, inner); !slices.Equal(got, want) {
		t.Errorf("unpacked %q, want %q", got, want)
	}
	st, err := os.Stat(filepath.Join(inner, "set", "two.bin"))
	if err != nil || st.Mode().Perm()&0o111 != 0 || st.Mode()&os.ModeSetuid != 0 {
		t.Errorf("mode %v (%v), want neither executable nor setuid", st.Mode(), err)
	}
}

func TestUnpackRefusesHostileArchives(t *testing.T) {
	with := func(extra ...item) []item { return append(slices.Clone(extra), good...) }
	for name, items := range map[string][]item{
		"a name that climbs out":          with(item{name: "../evil", data: []byte("x")}),
		"a name that climbs out inside":   with(item{name: "set/../../evil", data: []byte("x")}),
		"an absolute name":                with(item{name: "/tmp/evil", data: []byte("x")}),
		"a backslash":                     with(item{name: `set\..\..\evil`, data: []byte("x")}),
		"a symbolic link, written to":     with(item{name: "set", kind: tar.TypeSymlink, link: "../.."}),
		"a member as a link":              with(item{name: "set/one.bin", kind: tar.TypeSymlink, link: "/etc/passwd"}),
		"a hard link":                     with(item{name: "set/one.bin", kind: tar.TypeLink, link: "../../../etc/passwd"}),
		"a device":                        with(item{name: "set/null", kind: tar.TypeChar}),
		"a named pipe":                    with(item{name: "set/pipe", kind: tar.TypeFifo}),
		"a member twice":                  with(item{name: "set/one.bin", data: oneData}),
		"a member twice, spelt otherwise": with(item{name: "set//./one.bin", data: oneData}),
		"a member of another size":        {{name: "set/one.bin", data: []byte("short")}, good[3]},
		"a member with other contents":    {{name: "set/one.bin", data: bytes.ToUpper(oneData)}, good[3]},
		"a member as a folder":            {{name: "set/one.bin", kind: tar.TypeDir}, good[3]},
		"a member in other case":          {{name: "SET/ONE.BIN", data: oneData}, good[3]},
		"a missing member":                {good[1]},
		"a very long name":                {{name: strings.Repeat("long/", 2000) + "x", data: []byte("x")}, good[1]},
		"nothing":                         {},
	} {
		t.Run(name, func(t *testing.T) {
			outer, _, err := unpackIn(t, archiveOf(t, items...), twoMembers)
			if !errors.Is(err, ErrData) {
				t.Errorf("error %v, want ErrData", err)
			}
			if got := tree(t, outer); !slices.Equal(got, []string{"data/"}) {
				t.Errorf("left behind: %q", got)
			}
		})
	}
}

func TestUnpackRefusesAnArchiveCutAnywhere(t *testing.T) {
	whole := archiveOf(t, good...)
	// The last 8 bytes are gzip's checksum and length, and the tar ends before them.
	for n := range len(whole) - 30 {
		outer, _, err := unpackIn(t, whole[:n], twoMembers)
		if !errors.Is(err, ErrData) {
			t.Fatalf("cut to %d of %d bytes: error %v, want ErrData", n, len(whole), err)
		}
		if got := tree(t, outer); !slices.Equal(got, []string{"data/"}) {
			t.Fatalf("cut to %d bytes left behind: %q", n, got)
		}
	}
}

func TestUnpackStopsAtABomb(t *testing.T) {
	zeros := make([]byte, 64<<20)
	many := make([]item, 2000) // 1 MB of headers, which the bound of bytes lets through
	for i := range many {
		many[i] = item{name: "x"}
	}
	for name, archive := range map[string][]byte{
		"one large entry": archiveOf(t, append([]item{{name: "big", data: zeros}}, good...)...),
		"many entries":    archiveOf(t, append(many, good...)...),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		outer, _, err := unpackIn(t, archive, twoMembers)
		runtime.ReadMemStats(&after)
		if !errors.Is(err, ErrData) {
			t.Errorf("%s: error %v, want ErrData", name, err)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 8<<20 {
			t.Errorf("%s: %d bytes allocated", name, grown)
		}
		if got := tree(t, outer); !slices.Equal(got, []string{"data/"}) {
			t.Errorf("%s: left behind: %q", name, got)
		}
	}
}

func TestUnpackDoesNotFollowALinkThatStandsInTheFolder(t *testing.T) {
	outer := t.TempDir()
	inner, victim := filepath.Join(outer, "data"), filepath.Join(outer, "victim")
	path := filepath.Join(t.TempDir(), "a.tar.gz")
	if err := errors.Join(os.Mkdir(inner, 0o755), os.Mkdir(victim, 0o755), os.WriteFile(path, archiveOf(t, good...), 0o644)); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(victim, filepath.Join(inner, "set")); err != nil {
		t.Skip(err)
	}
	if err := unpack(t.Context(), path, inner, twoMembers); err == nil {
		t.Error("no error")
	}
	if got := tree(t, victim); len(got) != 0 {
		t.Errorf("written outside: %q", got)
	}
}

// bundleMirror serves files by name.
func bundleMirror(t *testing.T, files map[string][]byte) *mirror {
	return newMirror(t, nil, "", func(w http.ResponseWriter, r *http.Request, n int) bool {
		data, ok := files[strings.TrimPrefix(r.URL.Path, "/")]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return true
		}
		serve(w, r, data, `"x"`)
		return true
	})
}

func TestFetchUnpacksOnceAndLeavesNothingElse(t *testing.T) {
	archive := archiveOf(t, good...)
	m := bundleMirror(t, map[string][]byte{"a.tar.gz": archive})
	b := bundle{base: m.URL, files: []remote{{name: "a.tar.gz", size: int64(len(archive)), digests: []string{sha256Of(archive)}}}, members: twoMembers}
	dir := filepath.Join(t.TempDir(), "new", "folder")
	for range 2 {
		if err := fetchBundle(t.Context(), b, dir, quick(m)); err != nil {
			t.Fatal(err)
		}
		want := []string{"set/", "set/one.bin=" + string(oneData), "set/two.bin=" + string(twoData)}
		if got := tree(t, dir); !slices.Equal(got, want) {
			t.Errorf("fetched %q, want %q", got, want)
		}
	}
	if n := len(m.requests()); n != 1 {
		t.Errorf("%d requests, want 1: what is there is not fetched again", n)
	}
	os.Remove(filepath.Join(dir, "set", "one.bin"))
	if err := fetchBundle(t.Context(), b, dir, quick(m)); err != nil {
		t.Errorf("a lost member is not fetched again: %v", err)
	}
}

func TestFetchUsesAnArchiveThatIsThere(t *testing.T) {
	archive := archiveOf(t, good...)
	m := bundleMirror(t, nil)
	b := bundle{base: m.URL, files: []remote{{name: "a.tar.gz", digests: []string{sha256Of(archive)}}}, members: twoMembers}
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "a.tar.gz"), archive, 0o644)
	if err := fetchBundle(t.Context(), b, dir, quick(m)); err != nil || len(m.requests()) != 0 {
		t.Errorf("%d requests, error %v", len(m.requests()), err)
	}
	dir = t.TempDir()
	os.WriteFile(filepath.Join(dir, "a.tar.gz"), archive[1:], 0o644)
	if err := fetchBundle(t.Context(), b, dir, quick(m)); !errors.Is(err, ErrData) {
		t.Errorf("a damaged archive: error %v, want ErrData", err)
	}
}

func TestFetchNeverOverwritesAConvertedCopy(t *testing.T) {
	archive := archiveOf(t, good...)
	content := []byte("an IDX file")
	m := bundleMirror(t, map[string][]byte{"a.tar.gz": archive, "f.gz": content})
	for _, c := range []struct {
		b    bundle
		path string
	}{
		{bundle{base: m.URL, files: []remote{{name: "a.tar.gz", digests: []string{sha256Of(archive)}}}, members: twoMembers}, "set/two.bin"},
		{bundle{base: m.URL, files: []remote{{name: "a.tar.gz", digests: []string{sha256Of(archive)}}}, members: twoMembers}, "two.bin"},
		{bundle{base: m.URL, files: []remote{{name: "f.gz", content: sha256Of(content)}}}, "f"},
		{bundle{base: m.URL, files: []remote{{name: "f.gz", content: sha256Of(content)}}}, "f.gz"},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, filepath.FromSlash(c.path))
		os.MkdirAll(filepath.Dir(path), 0o755)
		os.WriteFile(path, []byte("mine"), 0o644)
		before := tree(t, dir)
		if err := fetchBundle(t.Context(), c.b, dir, quick(m)); !errors.Is(err, ErrData) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v, want ErrData that names it", c.path, err)
		}
		if got := tree(t, dir); !slices.Equal(got, before) {
			t.Errorf("%s: the folder became %q", c.path, got)
		}
	}
}

func TestFetchComparesContentsWhereMirrorsCompressAnew(t *testing.T) {
	content := bytes.Repeat([]byte("pixels"), 1000)
	var again bytes.Buffer
	z, _ := gzip.NewWriterLevel(&again, gzip.BestSpeed)
	z.Write(content)
	z.Close()
	m := bundleMirror(t, map[string][]byte{"f.gz": again.Bytes()})
	b := bundle{base: "https://nowhere.invalid", files: []remote{{name: "f.gz", content: sha256Of(content)}}}
	o := quick(m)
	o.BaseURL = m.URL
	dir := t.TempDir()
	for range 2 {
		if err := fetchBundle(t.Context(), b, dir, o); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(m.requests()); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

func TestFetchRefusesWhatIsNotDownloaded(t *testing.T) {
	for name, want := range map[string]string{"fashion-sample": "embedded", "folder": "data.dir", "cifar": `did you mean "cifar10"`} {
		if err := Fetch(t.Context(), name, t.TempDir(), FetchOptions{}); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want ErrConfig with %q", name, err, want)
		}
	}
}

func gzipOf(data []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(data)
	z.Close()
	return b.Bytes()
}
