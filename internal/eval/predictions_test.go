package eval

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// writePredictions writes two images of six classes and returns the file's text.
func writePredictions(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	p, err := CreatePredictions(path, []string{"=cmd()", "b\x1b[31m", "c", "d", "e", "f"}, func(i int) string {
		return []string{"-dir/a,b.png", "x\ny\u009b.png"}[i]
	})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Discard()
	for i, logits := range [][]float32{{1, -2.5, 1, 0, 0.1, 3}, {0, 0, 0, 0, 0, 0}} {
		if err := p.Observe(Image{Index: i, Label: i, Logits: logits}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the file is there before Close")
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*.tmp-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	return string(text)
}

func TestMoreGuessesThanClassesAreAllOfThem(t *testing.T) {
	if got := Top([]float32{1, 3, 2}, math.MaxInt, nil); len(got) != 3 || got[0].Class != 1 {
		t.Errorf("%+v", got)
	}
}

func TestPredictionsAsJSONLines(t *testing.T) {
	text := writePredictions(t, "p.jsonl")
	if strings.ContainsAny(text, "\x1b\u009b") {
		t.Errorf("control characters came through:\n%q", text)
	}
	var got []Prediction
	for s := bufio.NewScanner(strings.NewReader(text)); s.Scan(); {
		var p Prediction
		if err := json.Unmarshal(s.Bytes(), &p); err != nil {
			t.Fatal(err)
		}
		got = append(got, p)
	}
	if len(got) != 2 {
		t.Fatalf("%d lines, want 2", len(got))
	}
	if got[1].ID != "x\ny\u009b.png" || got[0].LabelName != "=cmd()" || got[1].LabelName != "b\x1b[31m" {
		t.Errorf("names changed: %+v", got)
	}
	if d := cmp.Diff([]float32{1, -2.5, 1, 0, 0.1, 3}, got[0].Logits); d != "" {
		t.Errorf("logits (-want +got):\n%s", d)
	}
	var classes []int
	for _, g := range got[0].Top5 {
		classes = append(classes, g.Class)
	}
	if d := cmp.Diff([]int{5, 0, 2, 4, 3}, classes); d != "" {
		t.Errorf("top 5, of equal logits the lower class first (-want +got):\n%s", d)
	}
	if p := got[1].Top5[4].Probability; math.Abs(p-1.0/6) > 1e-15 {
		t.Errorf("probability %v of one of six equal classes", p)
	}
}

func TestPredictionsAsCSV(t *testing.T) {
	rows, err := csv.NewReader(strings.NewReader(writePredictions(t, "p.CSV"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"index", "id", "label", "label_name",
		"top1", "top1_name", "top1_probability", "top2", "top2_name", "top2_probability", "top3", "top3_name", "top3_probability",
		"top4", "top4_name", "top4_probability", "top5", "top5_name", "top5_probability",
		"logit_0", "logit_1", "logit_2", "logit_3", "logit_4", "logit_5",
	}
	if d := cmp.Diff(want, rows[0]); d != "" {
		t.Errorf("header (-want +got):\n%s", d)
	}
	if len(rows) != 3 {
		t.Fatalf("%d lines, want 3", len(rows))
	}
	if d := cmp.Diff([]string{"0", "'-dir/a,b.png", "0", "'=cmd()", "5", "f"}, rows[1][:6]); d != "" {
		t.Errorf("first image (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"1", "-2.5", "1", "0", "0.1", "3"}, rows[1][19:]); d != "" {
		t.Errorf("logits, where a minus sign is no formula (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"1", `x\x0ay\x9b.png`, "1", `b\x1b[31m`}, rows[2][:4]); d != "" {
		t.Errorf("second image (-want +got):\n%s", d)
	}
	for _, row := range rows[1:] {
		for i := 6; i < 19; i += 3 {
			if p, err := strconv.ParseFloat(row[i], 64); err != nil || p <= 0 || p >= 1 {
				t.Errorf("probability %q", row[i])
			}
		}
	}
}

func TestPredictionsThatFailLeaveTheOldFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.csv")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := CreatePredictions(path, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Observe(Image{Logits: []float32{1, 2}}); err != nil {
		t.Fatal(err)
	}
	p.Discard()
	p.Discard()
	if text, _ := os.ReadFile(path); string(text) != "old" {
		t.Errorf("the old file is now %q", text)
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
	if err := p.Close(); !errors.Is(err, ErrIO) {
		t.Errorf("Close after Discard: %v, want ErrIO", err)
	}
}

func TestPredictionsNeedAFormAndAFile(t *testing.T) {
	dir := t.TempDir()
	if _, err := CreatePredictions(filepath.Join(dir, "p.txt"), nil, nil); err == nil || !strings.Contains(err.Error(), ".jsonl") {
		t.Errorf("p.txt: error %v, want the endings that are possible", err)
	}
	if err := os.Mkdir(filepath.Join(dir, "d.csv"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(dir, "d.csv"), filepath.Join(dir, "missing", "p.csv")} {
		if _, err := CreatePredictions(path, nil, nil); !errors.Is(err, ErrIO) {
			t.Errorf("%s: error %v, want ErrIO", path, err)
		}
	}
}

func TestTopOfNoClassesIsNothing(t *testing.T) {
	if got := Top(nil, 5, nil); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

func TestLogitsInCSVReadBackToTheBit(t *testing.T) {
	logits := []float32{math.Nextafter32(1, 2), math.Nextafter32(-16, 0), math.SmallestNonzeroFloat32, math.MaxFloat32, 1. / 3}
	record := Prediction{Logits: logits}.csvRecord()
	for i, z := range logits {
		text := record[len(record)-len(logits)+i]
		if back, err := strconv.ParseFloat(text, 32); err != nil || float32(back) != z {
			t.Errorf("%v is written as %s", z, text)
		}
	}
}
