package labels

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"resnet/internal/datasets/fault"
)

// write puts a text into a file of a folder of its own.
func write(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func table(t testing.TB, text string) *Table {
	t.Helper()
	got, err := ReadTable(write(t, "states", text))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestATableNumbersNames(t *testing.T) {
	if got := table(t, "sil\naa\nb\n"); !slices.Equal(got.Names(), []string{"sil", "aa", "b"}) || got.class["b"] != 2 {
		t.Errorf("%+v", got)
	}
	// Two names are folded into one class, and 2 has none.
	if got := table(t, "<eps> 0\nao 3\naa 1\nah 3\n"); !slices.Equal(got.Names(), []string{"<eps>", "aa", "#2", "ao"}) || got.class["ah"] != 3 {
		t.Errorf("%+v", got)
	}
	for _, text := range []string{"", "a 1\nb\n", "a\nb 1\n", "a -1", "a 9999999", "a 1\na 2", "a x", "a 1 2"} {
		if _, err := ReadTable(write(t, "states", text)); !errors.Is(err, fault.ErrData) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// frames are the classes of n frames of 10 ms of an utterance.
func frames(t *testing.T, s *Set, id string, n int) []int32 {
	t.Helper()
	spans, ok, err := s.Lookup(id)
	if err != nil || !ok {
		t.Fatalf("%s: %v, %v", id, ok, err)
	}
	got, _ := Frames(spans, n, 0.01)
	return got
}

func TestALabelFileOfPhonesIsRead(t *testing.T) {
	s, err := Read(write(t, "x.mlf", "#!MLF!#\n\"*/one.lab\"\n0 260000 sil -3.5\n260000 350100 aa -7 word\n400000 600000 b\n.\n\"/data/dr1/spk/two.rec\"\n0 100000 x-aa+b\n.\n\"*/dr2/spk/two.rec\"\n0 100000 b\n.\n"), table(t, "sil\naa\nb\n"))
	if err != nil {
		t.Fatal(err)
	}
	// The middle of frame 2, at 25 ms, is in sil, and that of frame 3 in aa; frame 6 is behind all.
	if got := frames(t, s, "one", 7); !slices.Equal(got, []int32{0, 0, 0, 1, 2, 2, NoClass}) {
		t.Errorf("%v", got)
	}
	for id, class := range map[string]int32{"dr1-spk-two": 1, "data-dr1-spk-two": 1, "dr2-spk-two": 2} {
		if got := frames(t, s, id, 1); got[0] != class {
			t.Errorf("%s: %v", id, got)
		}
	}
	if _, _, err := s.Lookup("spk-two"); !errors.Is(err, fault.ErrData) {
		t.Errorf("two entries: %v", err)
	}
	if _, ok, err := s.Lookup("three"); ok || err != nil {
		t.Errorf("no entry: %v, %v", ok, err)
	}
}

// TestALabelFileOfStatesIsRead in HTK's forms: states beside their phone, with scores and without,
// and names that stand for themselves.
func TestALabelFileOfStatesIsRead(t *testing.T) {
	states := table(t, "aa_s2\naa_s3\nb[2]\nsil\n")
	s, err := Read(write(t, "x.mlf", "#!MLF!#\n\"*/u.rec\"\n0 100000 s2 -31.5 aa -80.25 ONE\n100000 200000 s3 -9.0\n200000 300000 s2 x-b+c\n300000 400000 s4 sil\n400000 500000 aa_s3 -1\n.\n"), states)
	if err != nil {
		t.Fatal(err)
	}
	if got := frames(t, s, "u", 5); !slices.Equal(got, []int32{0, 1, 2, 3, 1}) {
		t.Errorf("%v", got)
	}
}

func TestACTMIsRead(t *testing.T) {
	text := ";; a remark\nu1 1 0.00 0.02 sil 0.9\nu1 1 0.02 0.01 aa 1.0\nu2 A 0.01 0.02 b\n"
	s, err := Read(write(t, "x.txt", text), table(t, "sil\naa\nb\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got := frames(t, s, "u1", 4); !slices.Equal(got, []int32{0, 0, 1, NoClass}) {
		t.Errorf("%v", got)
	}
	if got := frames(t, s, "u2", 2); !slices.Equal(got, []int32{NoClass, 2}) {
		t.Errorf("%v", got)
	}
	if s, err = Read(write(t, "y.ctm", "u 1 0 1 7\n"), nil); err != nil || frames(t, s, "u", 1)[0] != 7 {
		t.Errorf("numbers: %v", err)
	}
}

func TestWhatIsNoLabelFileIsNot(t *testing.T) {
	for name, text := range map[string]string{"a.txt": "u 1 2 3 4\n", "b.txt": "u 1 0 1\n", "c.txt": "", "d.ark": "u \x00BFM \x04", "e.txt": "u [ 1.0 2.0 3 ]\n", "f.scp": "u x.ark:12\n"} {
		if Fits(write(t, name, text)) {
			t.Errorf("%q is taken for labels with times", text)
		}
	}
}

func TestDamagedLabelsAreRefusedWithTheirLine(t *testing.T) {
	head := "#!MLF!#\n\"*/u.lab\"\n"
	for text, want := range map[string]string{
		head + "0 100 sil\n": "without a point", head + "sil\naa\n.\n": "labels without times", head + "0 x sil\n.\n": "100 ns", head + "0 100 zz\n.\n": `"zz" is not in`,
		head + "100 0 sil\n.\n": "from 1e-05 to 0", head + "0 99999999999999999 sil\n.\n": "from 0 to 1e+10", head + "200 300 sil\n0 100 sil\n.\n": "in order",
		head + ".\n" + head[8:] + ".\n": "comes twice", "#!MLF!#\n\"*\" -> \"dir\"\n": "not read", "#!MLF!#\nu.lab\n": "in quotes",
		"u 1 0.0 0.1 sil\nu 2 0.0 0.1 sil\n": "channels 1 and 2", "u 1 0.0 0.1 sil\nu 1 0.0\n": "a line is", "u 1 0.0 0.1 sil\nu 1 0.1 -0.1 sil\n": "seconds", "u 1 0.0 0.1 sil\nu 1 NaN 1 sil\n": "a label from",
	} {
		_, err := Read(write(t, "x", text), table(t, "sil\naa\n"))
		if !errors.Is(err, fault.ErrData) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if _, err := Read(write(t, "x", head+"0 100 sil\n.\n"), nil); !errors.Is(err, fault.ErrData) || !strings.Contains(err.Error(), "x:3: ") || !strings.Contains(err.Error(), "speech.states") {
		t.Errorf("no table: %v", err)
	}
}

// FuzzLabels: whatever the text, labels are refused as fault.ErrData or are spans of classes that
// the table has, in order; frames take memory by their own number.
func FuzzLabels(f *testing.F) {
	f.Add("#!MLF!#\n\"*/u-1.lab\"\n0 100000 s2 -3 aa\n100000 200000 s3\n.\n")
	f.Add("u 1 0.00 0.02 sil 0.9\nu 1 0.02 1e9 aa\n")
	f.Add("\"#!MLF!#\"\n\"a/b/c-d-e.rec\"\n.\n;; x\n")
	states := table(f, "sil\naa_s2\naa[3]\n")
	f.Fuzz(func(t *testing.T, text string) {
		path := write(t, "x.ctm", text)
		s, err := Read(path, states)
		if err != nil {
			if !errors.Is(err, fault.ErrData) {
				t.Fatal(err)
			}
			return
		}
		for id := range s.by {
			spans, ok, err := s.Lookup(id)
			if !ok || err != nil {
				t.Fatalf("%q: %v, %v", id, ok, err)
			}
			got, length := Frames(spans, 10, 0.01)
			for _, k := range got {
				if k < NoClass || int(k) >= len(states.Names()) {
					t.Fatalf("class %d", k)
				}
			}
			if length < 0 || len(got) != 10 {
				t.Fatalf("%d frames, %d", length, len(got))
			}
		}
	})
}
