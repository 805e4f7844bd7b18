package datasets

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"resnet/internal/atomicfile/atomicfiletest"
)

// FuzzContentRange: whatever a server calls the range, it is refused or lies inside the file.
func FuzzContentRange(f *testing.F) {
	f.Add("bytes 0-9/10")
	f.Add("bytes 5-9/*")
	f.Add("bytes */10")
	f.Add("bytes 9223372036854775807-1/5")
	f.Add("bytes 0-9/-10")
	f.Add("bytes -5-9/10")
	f.Add("pages 0-9/10")
	f.Fuzz(func(t *testing.T, header string) {
		first, total, err := parseContentRange(header)
		if err == nil && (first < 0 || total < 0 || total > 0 && first >= total) {
			t.Fatalf("%q is from %d of %d", header, first, total)
		}
	})
}

// FuzzPart: whatever a download that was interrupted seems to have left in NAME.part.json, the next
// one ends with the right file: at once, or after starting over.
func FuzzPart(f *testing.F) {
	content := []byte("the contents of the file")
	m := newMirror(f, content, `"a"`, nil)
	f.Add([]byte(`{"url":"%","etag":"\"a\"","total":24}`), []byte("the con"))
	f.Add([]byte(`{"url":"%","etag":"\"b\"","total":24}`), []byte("THE CON"))
	f.Add([]byte(`{"url":"%","etag":"\n","total":-1}`), []byte("the"))
	f.Add([]byte(`{"url":"%","total":9223372036854775807}`), []byte("the contents of the file, and more"))
	f.Add([]byte(`{"url":"https://elsewhere/"}`), []byte("x"))
	f.Add([]byte(`{`), []byte{})
	f.Fuzz(func(t *testing.T, note, part []byte) {
		r := file(content)
		dir := t.TempDir()
		// % stands for the address, which is another one in each process.
		note = []byte(strings.ReplaceAll(string(note), "%", m.URL+"/"+r.name))
		path := filepath.Join(dir, r.name)
		if err := errors.Join(os.WriteFile(path+".part.json", note, 0o644), os.WriteFile(path+".part", part, 0o644)); err != nil {
			t.Fatal(err)
		}
		o := quick(m)
		o.fs = atomicfiletest.OnOS() // which waits for no disk
		if err := download(t.Context(), m.URL+"/", r, dir, o); err != nil {
			t.Fatalf("%q with %q: %v", note, part, err)
		}
		wantFile(t, dir, content)
	})
}

// FuzzClasses: whatever classes.txt holds, its lines are names of one class each, or it is ErrData
// with the line.
func FuzzClasses(f *testing.F) {
	f.Add("cat\ndog\n")
	f.Add("\ufeffcat\tfelis\r\ndog")
	f.Add("cat\ncat\n")
	f.Add("cat\n\ndog\n")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		names, err := parseClasses("classes.txt", []byte(text))
		if err != nil {
			if !errors.Is(err, ErrData) || !strings.Contains(err.Error(), "classes.txt") {
				t.Fatalf("%v is no ErrData that names the file", err)
			}
			return
		}
		if sorted := slices.Sorted(slices.Values(names)); slices.Contains(names, "") || len(slices.Compact(sorted)) != len(names) {
			t.Fatalf("%q", names)
		}
		if again, err := parseClasses("classes.txt", []byte(strings.Join(names, "\n"))); len(names) > 0 && (err != nil || !slices.Equal(again, names)) &&
			!strings.HasPrefix(names[0], "\ufeff") {
			t.Fatalf("%q is read again as %q, %v", names, again, err)
		}
	})
}

// FuzzPreprocessing: whatever a checkpoint says of its pictures, it is ErrData or a record that
// encodes to itself.
func FuzzPreprocessing(f *testing.F) {
	f.Add(`{"kind":"none"}`)
	f.Add(`{"size":24,"resize":28,"interpolation":"bicubic","channels":3,"kind":"channel-mean-std","mean":"AACAPw==","std":"AACAPw=="}`)
	f.Add(`{"size":-1,"downsample":99999999999999999999}`)
	f.Add(`{"mean":"AAA"}`)
	f.Fuzz(func(t *testing.T, text string) {
		p, err := DecodePreprocessing(text)
		if err != nil {
			if !errors.Is(err, ErrData) {
				t.Fatalf("%v is no ErrData", err)
			}
			return
		}
		again, err := DecodePreprocessing(p.Encode())
		if err != nil || again.Encode() != p.Encode() {
			t.Fatalf("%q is read again as %+v, %v", p.Encode(), again, err)
		}
	})
}

// TestManyClassesAreReadInTime: comparing each name with all before it would take a minute for a
// text of 2 MB.
func TestManyClassesAreReadInTime(t *testing.T) {
	const n = 300_000
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "class%d\n", i)
	}
	start := time.Now()
	names, err := parseClasses("classes.txt", []byte(b.String()))
	if took := time.Since(start); err != nil || len(names) != n || took > 20*time.Second {
		t.Errorf("%d names after %v, %v", len(names), took, err)
	}
}

// TestANoteThatNoServerWroteIsNotTrusted: such a note, sent as a header, would fail every attempt
// of every later fetch.
func TestANoteThatNoServerWroteIsNotTrusted(t *testing.T) {
	content := []byte("the contents of the file")
	for _, state := range []string{`"etag":"\n"`, `"etag":"\u0000"`, `"total":-1`, `"total":9223372036854775807`} {
		m := newMirror(t, content, `"a"`, nil)
		r, dir := file(content), t.TempDir()
		r.size = 0
		path := filepath.Join(dir, r.name)
		note := fmt.Sprintf(`{"url":%q,%s}`, m.URL+"/"+r.name, state)
		if err := errors.Join(os.WriteFile(path+".part.json", []byte(note), 0o644), os.WriteFile(path+".part", content[:5], 0o644)); err != nil {
			t.Fatal(err)
		}
		if err := download(t.Context(), m.URL+"/", r, dir, quick(m)); err != nil {
			t.Errorf("%s: %v", state, err)
			continue
		}
		wantFile(t, dir, content)
	}
}

func TestARangeOutsideTheFileIsNone(t *testing.T) {
	for header, want := range map[string][2]int64{"bytes 0-9/10": {0, 10}, "bytes 5-9/*": {5, 0}, "bytes 9-9/10": {9, 10}} {
		if first, total, err := parseContentRange(header); err != nil || [2]int64{first, total} != want {
			t.Errorf("%q: %d of %d, %v, want %v", header, first, total, err, want)
		}
	}
	for _, header := range []string{"", "bytes 0-9", "bytes 0/10", "bytes -1-9/10", "bytes 10-19/10", "bytes 0-9/-10", "bytes 0-9/x", "bytes x-9/10", "pages 0-9/10"} {
		if first, total, err := parseContentRange(header); err == nil {
			t.Errorf("%q: %d of %d", header, first, total)
		}
	}
}
