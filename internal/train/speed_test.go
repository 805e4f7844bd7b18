package train

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMedianSpeedIsThatOfTheRowsOfTimingCSV(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want float64
	}{
		"an odd number":         {timingHeader + "\n1,0.5,300,1\n2,1.0,100,1\n3,1.5,250,1\n", 250},
		"an even number":        {timingHeader + "\n1,0.5,300,1\n2,1.0,100,1\n3,1.5,250,1\n4,2,200,1\n", 225},
		"one":                   {timingHeader + "\n1,0.5,300,1\n", 300},
		"what was not measured": {timingHeader + "\n1,0.5,0.0,1\n2,1,,1\n3\n3,1\n4,2,x,1\n5,2,80,1\n", 80},
		"another order":         {"seconds," + speedColumn + ",step\n9,70,1\n", 70},
		"what is no speed":      {timingHeader + "\n1,0.5,inf,1\n2,1,nan,1\n3,2,1e999,1\n5,2,80,1\n", 80},
		"the greatest":          {timingHeader + "\n1,0.5,1.7e308,1\n2,1,1.7e308,1\n", 1.7e308},
		"no such column":        {"step,seconds\n1,2\n", 0},
		"no row":                {timingHeader + "\n", 0},
		"nothing":               {"", 0},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, TimingFile), []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := MedianSpeed(dir); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	if got := MedianSpeed(t.TempDir()); got != 0 {
		t.Errorf("no file: %v, want 0", got)
	}
	if !strings.Contains(timingHeader, speedColumn) {
		t.Errorf("timing.csv has no %s: %s", speedColumn, timingHeader)
	}
}

// FuzzTiming: whatever timing.csv holds, the speed and the time before are finite numbers.
func FuzzTiming(f *testing.F) {
	f.Add(timingHeader + "\n1,0.5,300,1\n2,1.0,100,1\n")
	f.Add("step," + speedColumn + "\n1,inf\n2,1e308\n3,1.7e308\n")
	f.Add(timingHeader + "\n1,nan,-inf,\n")
	f.Add("\n\n,,")
	f.Fuzz(func(t *testing.T, text string) {
		for _, x := range []float64{medianSpeed(parseTimings(strings.NewReader(text))), lastField(text, 1)} {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				t.Fatalf("%q gives %v", text, x)
			}
		}
	})
}
