package kaldi

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"resnet/internal/datasets/fault"
)

// FuzzTables: whatever the text, utt2spk and segments are refused as fault.ErrData, or have keys
// and values without spaces, and segments that go forward.
func FuzzTables(f *testing.F) {
	f.Add("a ann\nb bob\n")
	f.Add("a rec 0.5 1.25\nb rec 2 3\n")
	f.Add("a rec 1e999 NaN\n\x00\xff \t\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(t.TempDir(), "table")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		pairs, err := ReadTable(path)
		if err != nil && !errors.Is(err, fault.ErrData) {
			t.Fatal(err)
		}
		for _, p := range pairs {
			if p.Key == "" || strings.ContainsAny(p.Key, " \t\n") {
				t.Fatalf("%q was read as %+v", text, p)
			}
		}
		segments, err := ReadSegments(path)
		if err != nil && !errors.Is(err, fault.ErrData) {
			t.Fatal(err)
		}
		for _, s := range segments {
			if !(s.Start >= 0) || s.End > 0 && !(s.End > s.Start) || s.Start-s.Start != 0 || s.End-s.End != 0 {
				t.Fatalf("%q was read as %+v", text, s)
			}
		}
	})
}
