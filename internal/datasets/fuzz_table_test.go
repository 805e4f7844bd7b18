package datasets

import (
	"errors"
	"strings"
	"testing"
)

// FuzzTables: whatever the text of a table of labels or of splits, it is refused as ErrData, or
// every row has a file name and a class, and every image a split.
func FuzzTables(f *testing.F) {
	for _, s := range []string{
		"path,label\nx.png,a\n", "\ufeffid;breed;is_valid\n1;b;True\n", "a\tb\n", "x,y,z\n", "path,split\na/1.png,valid\n", "1.png,train\n1.png,test\n", "\"open\nquote", "path,label\n,\n", "",
		"sep=;\nfile;class\n1;a\n", "\xff\xfef\x00,\x00", "image,cat,dog\n1,0,1\n", "file|class\r1|a\r", "a b\n", "[{}]", "\xfe\xff\x00",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		rows, err := parseLabelTable("x", data)
		if err != nil && !errors.Is(err, ErrData) || err == nil && len(rows) == 0 {
			t.Fatalf("%d rows, error %v", len(rows), err)
		}
		for _, r := range rows {
			if r.path == "" || r.class == "" || r.line < 1 {
				t.Fatalf("row %+v", r)
			}
		}
		of, err := parseSplit("x", data)
		if err != nil && !errors.Is(err, ErrData) || err == nil && len(of) == 0 {
			t.Fatalf("%d images, error %v", len(of), err)
		}
		for name, s := range of {
			if s != Train && s != Val && s != Test {
				t.Fatalf("%q is in split %q", name, s)
			}
		}
	})
}

// FuzzLabelPatterns: whatever the pattern, it is refused as ErrConfig, or has a group for the class
// and takes text out of a path that is in it.
func FuzzLabelPatterns(f *testing.F) {
	for _, s := range []string{NameNumber, "^(.+)_", "^(?P<class>[^/]+)/(?P<split>[^/]+)/", "(", "a", "(?P<split>x)", "(a)|b"} {
		f.Add(s, "train/cat.0.jpg")
	}
	f.Fuzz(func(t *testing.T, pattern, path string) {
		p, err := parseLabelPattern(pattern)
		if err != nil {
			if !errors.Is(err, ErrConfig) {
				t.Fatal(err)
			}
			return
		}
		if m := p.re.FindStringSubmatch(path); m != nil && !strings.Contains(path, m[p.class]) {
			t.Fatalf("%q of %q", m[p.class], path)
		}
	})
}
