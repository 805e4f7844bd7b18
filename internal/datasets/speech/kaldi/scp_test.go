package kaldi

import (
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"resnet/internal/datasets/fault"
)

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
	return path
}

// archive is two matrices: a of 4 × 3 with the values 0 to 11, b of 1 × 1.
func archive(t *testing.T, path string) (a, b int64) {
	t.Helper()
	w, err := Create(path, path+".scp")
	if err != nil {
		t.Fatal(err)
	}
	m := make([]float32, 12)
	for i := range m {
		m[i] = float32(i)
	}
	if err := errors.Join(w.WriteMatrix("a", 4, 3, m), w.WriteMatrix("b", 1, 1, []float32{7}), w.Commit()); err != nil {
		t.Fatal(err)
	}
	s, err := ReadScp(path + ".scp")
	if err != nil {
		t.Fatal(err)
	}
	return s.Entries[0].Offset, s.Entries[1].Offset
}

func TestPathsOfScriptsAreFoundAsInKaldiAndBesideTheScript(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.MkdirAll("data/raw", 0o755); err != nil {
		t.Fatal(err)
	}
	archive(t, "data/raw/x.ark") // data/raw/x.ark.scp names data/raw/x.ark:2, from here
	absolute := filepath.Join(dir, "data/raw/x.ark")
	write(t, "data/absolute.scp", "a "+absolute+":2\n")
	write(t, "data/beside.scp", "a raw/x.ark:2\n\nother\traw/x.ark:2 \r\n")
	write(t, "data/missing.scp", "a raw/y.ark:2\n")
	for _, from := range []string{dir, t.TempDir()} {
		t.Chdir(from)
		for _, name := range []string{"data/absolute.scp", "data/beside.scp", "data/raw/x.ark.scp"} {
			s, err := ReadScp(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			v, err := s.Read(s.Entries[0])
			if name == "data/raw/x.ark.scp" && from != dir { // neither place has data/raw/x.ark
				if !errors.Is(err, fault.ErrMissing) || !strings.Contains(err.Error(), "x.ark.scp:1:") {
					t.Errorf("%s from elsewhere: %v", name, err)
				}
				continue
			}
			if err != nil || v.Rows != 4 || v.Floats[11] != 11 {
				t.Errorf("%s: %v, %v", name, v, err)
			}
		}
	}
	s, err := ReadScp(filepath.Join(dir, "data/missing.scp"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ script, path, want string }{
		{filepath.Join(dir, "data/missing.scp"), "raw/y.ark", "raw/y.ark, from the working directory or from the script's folder"},
		{filepath.Join(dir, "data/missing.scp"), filepath.Join(dir, "data/raw/y.ark"), "data/raw/y.ark"},
		{"missing.scp", "raw/../y.ark", "raw/../y.ark"}, // there is one place
	} {
		s.Name = c.script
		_, err := s.Read(Entry{Key: "a", Line: 1, Path: c.path})
		if !errors.Is(err, fault.ErrMissing) || !strings.HasSuffix(err.Error(), c.want) {
			t.Errorf("%s in %s: %v", c.path, c.script, err)
		}
	}
}

func TestRangesOfScriptsIncludeBothEnds(t *testing.T) {
	t.Chdir(t.TempDir())
	archive(t, "x.ark")
	for text, want := range map[string][]float32{
		"[1:2]": {3, 4, 5, 6, 7, 8}, "[0:0,1:2]": {1, 2}, "[:,2:2]": {2, 5, 8, 11}, "[,0:0]": {0, 3, 6, 9}, "[3:6]": {9, 10, 11}, "[2:2,]": {6, 7, 8},
	} {
		s, err := ReadScp(write(t, "r.scp", "a x.ark:2"+text+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		v, err := s.Read(s.Entries[0])
		if err != nil || !slices.Equal(v.Floats, want) || v.Rows*v.Cols != len(want) {
			t.Errorf("%s: %v, %v", text, v, err)
		}
	}
	// Kaldi lets rows, and only rows, end up to three late.
	for _, text := range []string{"[4:4]", "[0:7]", "[0:1,0:3]"} {
		s, err := ReadScp(write(t, "r.scp", "a x.ark:2"+text+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Read(s.Entries[0]); !errors.Is(err, fault.ErrData) || !strings.Contains(err.Error(), "r.scp:1") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestPipesAreAlwaysRefusedWithLineAndRemedy(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for text, remedy := range map[string]string{
		"a touch pwned |":                       "`touch pwned > FILE`",
		"a touch pwned|":                        "`touch pwned > FILE`",
		"a sph2pipe -f wav -p -c 1 x.sph |":     "`sph2pipe -f wav -p -c 1 x.sph > FILE`",
		"a gunzip -c x.ark.gz |":                "name x.ark.gz itself",
		"a | touch pwned":                       "name a file",
		"a -":                                   "standard input",
		"ok x.ark:2\nb copy-feats ark:x ark:-|": "copy-feats",
	} {
		_, err := ReadScp(write(t, "p.scp", text+"\n"))
		line := "p.scp:1:"
		if strings.HasPrefix(text, "ok") {
			line = "p.scp:2:"
		}
		if !errors.Is(err, fault.ErrData) || !strings.Contains(err.Error(), remedy) || !strings.Contains(err.Error(), line) {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, name := range []string{"touch pwned |", "| touch pwned", "-", "ark:touch pwned |", "scp:-", "ark,t:-"} {
		if err := Each(name, func(string, Value) error { return nil }); !errors.Is(err, fault.ErrData) {
			t.Errorf("%q: %v", name, err)
		}
		if _, err := OpenArk(name); err == nil {
			t.Errorf("%q was opened", name)
		}
	}
	if found, _ := os.ReadDir(dir); len(found) != 1 {
		t.Errorf("something ran: %v", found)
	}
}

func TestBrokenScriptsNameTheLine(t *testing.T) {
	t.Chdir(t.TempDir())
	_, b := archive(t, "x.ark")
	for text, want := range map[string]string{
		"a":                            "no file",
		"a x.ark:2\na x.ark:2":         "comes twice, first in line 1",
		"":                             "no line",
		"a x.ark:2[1:0]":               "a range is written",
		"a x.ark:2[1]":                 "a range is written",
		"a x.ark:2[0:1,0:1,0:1]":       "no third",
		"a x.ark:99999999999999999999": "64 bits",
		"\x00B\x04":                    "binary data",
		"a [0:1]":                      "no range",
	} {
		if _, err := ReadScp(write(t, "b.scp", text)); !errors.Is(err, fault.ErrData) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "b.scp") {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := ReadScp(write(t, "b.scp", strings.Repeat("x", maxLine+1))); !errors.Is(err, fault.ErrData) {
		t.Errorf("a line without end: %v", err)
	}
	if _, err := ReadScp("nowhere.scp"); !errors.Is(err, fault.ErrMissing) {
		t.Error(err)
	}
	for _, offset := range []string{"0", "1", "3", "9999", "9223372036854775807"} {
		s, err := ReadScp(write(t, "b.scp", "b x.ark:"+offset))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Read(s.Entries[0]); !errors.Is(err, fault.ErrData) || !strings.Contains(err.Error(), "b.scp:1") {
			t.Errorf("offset %s (%d is right): %v", offset, b, err)
		}
	}
}

func TestCompressedFilesAreReadAsTheyAre(t *testing.T) {
	t.Chdir(t.TempDir())
	_, b := archive(t, "x.ark")
	raw, err := os.ReadFile("x.ark")
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(raw); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	write(t, "x.ark.gz", packed.String())
	keys, values := entries(t, "x.ark.gz")
	if !slices.Equal(keys, []string{"a", "b"}) || values["b"].Floats[0] != 7 {
		t.Errorf("%v %v", keys, values)
	}
	write(t, "x.scp", "b x.ark.gz:"+itoa(b)+"\n")
	if _, values := entries(t, "x.scp"); values["b"].Floats[0] != 7 {
		t.Errorf("at an offset: %v", values)
	}
	for n := range packed.Len() { // cut anywhere
		write(t, "x.ark.gz", packed.String()[:n])
		err := Each("x.ark.gz", func(string, Value) error { return nil })
		if n > 0 && !errors.Is(err, fault.ErrData) {
			t.Fatalf("%d of %d bytes: %v", n, packed.Len(), err)
		}
	}
}

func TestTablesAndSegments(t *testing.T) {
	t.Chdir(t.TempDir())
	pairs, err := ReadTable(write(t, "utt2spk", "u1 s1\nu2\ts1\n\nu3 s2 \n"))
	if err != nil || !slices.Equal(pairs, []Pair{{"u1", "s1"}, {"u2", "s1"}, {"u3", "s2"}}) {
		t.Errorf("%v, %v", pairs, err)
	}
	segments, err := ReadSegments(write(t, "segments", "u1 r1 0.5 1.25\nu2 r1 2 -1\nu3 r2 0 1 1\nu4 r2 0 1 B\nu5 r3 0 1 -1\n"))
	if err != nil || !slices.Equal(segments, []Segment{{"u1", "r1", 0.5, 1.25, -1}, {"u2", "r1", 2, -1, -1}, {"u3", "r2", 0, 1, 1}, {"u4", "r2", 0, 1, 1}, {"u5", "r3", 0, 1, -1}}) {
		t.Errorf("%v, %v", segments, err)
	}
	for _, text := range []string{"u1 r1 0.5", "u1 r1 2 1", "u1 r1 2 2", "u1 r1 2 -2", "u1 r1 -1 1", "u1 r1 a b", "u1 r1 NaN 2", "u1 r1 0 Inf", "u1", "u1 r1 0 1\nu1 r1 0 1", "u1 r1 0 1 -2", "u1 r1 0 1 left", "u1 r1 0 1 0 0"} {
		if _, err := ReadSegments(write(t, "segments", text)); !errors.Is(err, fault.ErrData) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestWhatIsAPipeAndWhatIsAName(t *testing.T) {
	for name, want := range map[string]string{
		"x.ark": "", " a b.ark ": "", "x|y": "",
		"-": "standard input", " - ": "standard input",
		"| gzip -c > x": "is a pipe (| gzip -c > x)", "  |x": "is a pipe (|x)",
		"gunzip -c x.ark.gz |": "name x.ark.gz itself", "zcat x.gz | ": "name x.gz itself", "gzip -cd x.gz|": "name x.gz itself",
		"gzip |": "`gzip > FILE`", "copy-feats ark:x ark:- | ": "`copy-feats ark:x ark:- > FILE`",
	} {
		err := refusePipe(name, "line 3")
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "line 3 is ")) {
			t.Errorf("%q: %v, want %q", name, err, want)
		}
	}
}

func TestWhatIsAScriptAndWhatAnArchive(t *testing.T) {
	for path, want := range map[string]struct {
		script bool
		bare   string
	}{
		"x.scp": {true, "x.scp"}, "x.scp.gz": {true, "x.scp.gz"}, "x.ark": {false, "x.ark"}, "x": {false, "x"},
		"scp:x.txt": {true, "x.txt"}, "scp,p:a.scp": {true, "a.scp"}, "ark:x.scp": {false, "x.scp"}, "ark,t:x": {false, "x"},
		"C:x.scp": {true, "C:x.scp"}, "C:x": {false, "C:x"},
	} {
		script, bare, err := IsScript(path)
		if err != nil || script != want.script || bare != want.bare {
			t.Errorf("%s: %v, %q (%v)", path, script, bare, err)
		}
	}
	for _, path := range []string{"ark:-", "scp:cat x |", "-", "| x"} {
		if _, _, err := IsScript(path); !errors.Is(err, fault.ErrData) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestPipesOfAScriptAreRefusedTogether, with the first of them and how many there are; a caller may
// say what one of them reads.
func TestPipesOfAScriptAreRefusedTogether(t *testing.T) {
	t.Chdir(t.TempDir())
	text := "a x.ark:1\nb cut x |\nc sort y |\nd uniq z |\n"
	_, err := ReadScp(write(t, "x.scp", text))
	if !errors.Is(err, fault.ErrData) || !strings.HasPrefix(err.Error(), `x.scp:2: the entry "b" is a pipe (cut x |)`) || !strings.HasSuffix(err.Error(), "(and so are 2 more of the 4 lines)") {
		t.Error(err)
	}
	only := func(word string) func(string) (string, bool) {
		return func(command string) (string, bool) {
			first, file, _ := strings.Cut(command, " ")
			return file, strings.Contains(word, first)
		}
	}
	if _, err = ReadScpWith("x.scp", only("cut sort")); !errors.Is(err, fault.ErrData) || !strings.HasPrefix(err.Error(), "x.scp:4:") || strings.Contains(err.Error(), "so are") {
		t.Error(err)
	}
	s, err := ReadScpWith("x.scp", only("cut sort uniq"))
	if err != nil || len(s.Entries) != 4 || s.Entries[0].Command != "" || s.Entries[2].Command != "sort y" || s.Entries[2].Path != "y" || s.Entries[2].Line != 3 {
		t.Errorf("%+v, %v", s, err)
	}
}
