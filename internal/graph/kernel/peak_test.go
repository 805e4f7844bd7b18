package kernel

import (
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

// atStart is the implementation of a process that has chosen none.
var atStart = Active()

func TestTheBestImplementationIsTheDefault(t *testing.T) {
	list := Available()
	if atStart != list[0] || list[len(list)-1] != "generic" {
		t.Errorf("at start %s of %v; want the first, and plain Go last", atStart, list)
	}
	best := active
	defer func() { active = best }()
	for _, name := range list {
		if err := Use(name); err != nil || Active() != name {
			t.Errorf("after Use(%q) %s is active, %v", name, Active(), err)
		}
	}
	if err := Use("sse9"); err == nil || !strings.Contains(err.Error(), "generic") {
		t.Errorf("an unknown one: %v", err)
	}
}

// The operations of a round are two for each lane of each fused multiply-add of the assembly.
func TestPeakCountsTheOperationsOfItsAssembly(t *testing.T) {
	lanes := map[string]int{"AVX512": 16, "AVX2": 8, "NEON": 4}
	for _, im := range available {
		want := 2 * 8. // plain Go has eight chains
		if im.name != "generic" {
			text, err := os.ReadFile("kernels_" + runtime.GOARCH + ".s")
			if err != nil {
				t.Fatal(err)
			}
			isa := strings.ToUpper(im.name)
			body := regexp.MustCompile(`(?s)TEXT ·peak` + isa + `\(.*?\n\tRET`).FindString(string(text))
			adds := strings.Count(body, "VFMADD") + strings.Count(body, "// fmla")
			want = float64(2 * lanes[isa] * adds)
		}
		if got := im.peak(1000); got != 1000*want || want == 0 {
			t.Errorf("%s: %g operations in 1000 rounds, want %g", im.name, got, 1000*want)
		}
	}
}

// The threads work at the same time, and all of their operations count.
func TestPeakAddsTheThreads(t *testing.T) {
	best := active
	defer func() { active = best }()
	const pause = 25 * time.Millisecond
	active = &implementation{peak: func(int) float64 {
		time.Sleep(pause)
		return 1e6
	}}
	most := 3 * 1e6 / pause.Seconds()
	if got := Peak(3); got > most || got < most/2.5 {
		t.Errorf("%g operations a second, want %g or a little less", got, most)
	}
}

func TestABlockIsAVector(t *testing.T) {
	if Lanes != len(Vec{}) {
		t.Errorf("%d lanes, a vector of %d", Lanes, len(Vec{}))
	}
}
