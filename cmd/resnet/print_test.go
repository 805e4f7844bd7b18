package main

import (
	"bytes"
	"errors"
	"io/fs"
	"math"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"resnet/internal/blocks"
	"resnet/internal/eval"
	"resnet/internal/experiment"
	"resnet/internal/graph"
	"resnet/internal/graph/kernel"
	"resnet/internal/graph/kernel/conv"
	"resnet/internal/system"
	"resnet/internal/text"
	"resnet/internal/train"
)

// printed runs f with an app and gives what it wrote to standard output and error.
func printed(t *testing.T, f func(a *app) error) (out, errw string) {
	t.Helper()
	a, o, e := testApp()
	a.self = "resnet"
	if err := f(a); err != nil {
		t.Fatal(err)
	}
	return o.String(), e.String()
}

// same compares text, in which a line's spaces at its end do not count.
func same(t *testing.T, got, want string) {
	t.Helper()
	lines := strings.Split(got, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	if got := strings.Join(lines, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestABenchIsPrintedInALine(t *testing.T) {
	percent := 61.6
	r := experiment.BenchReport{
		Arch: "resnet20", Mode: "train", Precision: "float32", Batch: 128, Threads: 2, ImagesPerSecond: 640.4, MsPerStep: 199.876,
		MsMin: 190.1, MsMax: 210.25, Steps: 7, GFLOPS: 155.7, PercentOfPeak: &percent, PeakRSSBytes: 203e6, Kernels: "avx2",
	}
	got, _ := printed(t, func(a *app) error { return a.printBench(r, false) })
	same(t, got, "train resnet20, batch 128, 2 threads, float32, avx2 kernels: 640 images/s, 199.88 ms a step (190.10 to 210.25 in 7), 156 GFLOP/s, 62% of peak, peak memory 203 MB\n")
	r.Frames, r.FramesPerSecond, r.PercentOfPeak = 300, 1234.5, nil
	got, _ = printed(t, func(a *app) error { return a.printBench(r, false) })
	same(t, got, "train resnet20, batch 128 x 300 frames, 2 threads, float32, avx2 kernels: 1234 frames/s, 199.88 ms a step (190.10 to 210.25 in 7), 156 GFLOP/s, peak memory 203 MB\n")
}

func TestABenchOfDataSaysWhichIsTheBottleneck(t *testing.T) {
	r := experiment.BenchDataReport{
		Data: "imagenet", Split: "train", Images: 1200, Width: 499.6, Height: 375.2, Crop: "resized", Size: 224, Batch: 32, Threads: 2,
		DecodePerCore: 300.4, CentrePerCore: 200.2, TrainPerCore: 150.3, ImagesPerSecond: 290.9,
		Network: &experiment.BenchNetwork{Arch: "resnet18", ImagesPerSecond: 30.4, DataPercent: 10.1, Bottleneck: "network"},
	}
	got, _ := printed(t, func(a *app) error { return a.printBenchData(r) })
	same(t, got, `imagenet, train, 1,200 images of about 500×375 pixels, crop resized of 224×224, batch 32
one core      300 images/s decoded
              200 images/s decoded, resized, the centre cut out, normalised
              150 images/s decoded, resized, cut at random, augmented, normalised
2 threads     291 images/s of the last
resnet18         30 images/s trained on 2 threads: preparing an image takes 10 % of the time that training on it takes; the bottleneck is the network
`)
}

func TestConvolutionsAreATable(t *testing.T) {
	r := experiment.ConvReport{Kernels: "avx2", PeakGFLOPS: 100, Rows: []experiment.ConvRow{
		{Shape: "s1", Algorithm: conv.Direct, Name: "direct", Passes: [3]experiment.ConvSpeed{{GFLOPS: 60, PercentOfPeak: 60}, {GFLOPS: 50.4, PercentOfPeak: 50.4}, {GFLOPS: 40, PercentOfPeak: 40}}},
		{Shape: "s1", Algorithm: conv.Winograd, Name: "winograd", Chosen: true, Passes: [3]experiment.ConvSpeed{{GFLOPS: 120, Ratio: 2}, {GFLOPS: 75, Ratio: 1.5}, {GFLOPS: 20, Ratio: 0.5}}},
	}}
	got, _ := printed(t, func(a *app) error { return a.printConv(r) })
	same(t, got, `avx2 kernels, one core, peak 100 GFLOP/s; each figure: GFLOP/s (of peak, or times direct)

convolution   algorithm    forward       data gradient   weight gradient
s1            direct       60 (60%)      50 (50%)        40 (40%)
s1            winograd *   120 (x2.00)   75 (x1.50)      20 (x0.50)

* what training and inference use for this shape
`)
}

func TestThePlanOfAComparisonIsPrinted(t *testing.T) {
	p := experiment.ComparisonEstimate{Out: "out", Threads: 1, Parallel: 1, SecondsTotal: 90, Runs: []experiment.EstimatedRun{
		{Name: "plain20-seed1", Params: 269_722, Steps: 64_000, State: "to do", Seconds: 4000},
		{Name: "resnet20-seed1", Params: 269_722, Steps: 64_000, StepsDone: 32_000, State: "saved", Seconds: 2000},
		{Name: "resnet56-seed1", Params: 853_018, Steps: 64_000, StepsDone: 64_000, State: "done"},
	}}
	_, got := printed(t, func(a *app) error { return a.printComparisonPlan(p) })
	same(t, got, `run             parameters  steps   state                 about
plain20-seed1   269,722     64,000  to do                 1h06m
resnet20-seed1  269,722     64,000  saved at step 32,000  33m20s
resnet56-seed1  853,018     64,000  done
About 1m30s on this machine (1 thread), evaluations included. Everything is kept in out.
`)
	p.Parallel, p.Threads = 2, 3
	if _, got := printed(t, func(a *app) error { return a.printComparisonPlan(p) }); !strings.Contains(got, "(2 runs at a time, 3 threads each)") {
		t.Error(got)
	}
	p.SecondsTotal = 0
	if _, got := printed(t, func(a *app) error { return a.printComparisonPlan(p) }); strings.Contains(got, "About") {
		t.Errorf("nothing is left to do: %s", got)
	}
}

func TestAdaptedSpeakersAreATable(t *testing.T) {
	r := experiment.Adapted{
		File: "f.safetensors", Model: "runs/a", Structure: "shared", Labels: "a first pass", Unit: "frames", Notes: []string{"bob: no label"},
		Speakers: []experiment.AdaptedSpeaker{
			{Speaker: "ann", Utterances: 15, Labelled: 1510, FirstLoss: 1.23456, LastLoss: 0.98765}, {Speaker: "bob", Utterances: 2},
		},
	}
	got, _ := printed(t, func(a *app) error { return a.printAdapted(r) })
	same(t, got, `bob: no label
  speaker  utterances  labelled frames  loss, first pass  last pass
      ann          15            1,510            1.2346     0.9877
      bob           2                0            0.0000     0.0000
f.safetensors: shared transforms of 2 speakers before runs/a, labels from a first pass
`)
}

func TestAPredictionIsShownInPercent(t *testing.T) {
	got, errw := printed(t, func(a *app) error {
		for _, p := range []experiment.Prediction{
			{Image: "a.png", Top: []eval.Guess{{Class: 3, Name: "cat", Probability: 0.87654}, {Class: 5, Probability: 0.1}}},
			{Image: "b.png", Error: "no such image"},
		} {
			if err := a.printPrediction(p); err != nil {
				return err
			}
		}
		return nil
	})
	same(t, got, "\na.png\n  87.65%  cat (3)\n  10.00%  class 5\n")
	same(t, errw, "b.png: no such image\n")
}

func TestAProgressLineHasTheMeansAndWhatIsLeft(t *testing.T) {
	p := train.Progress{Step: 1200, Total: 64_000, Epoch: 3.0712, Rate: 0.1, Loss: 9, Error: 99, MeanLoss: 1.23456, MeanError: 45.678, ImagesPerSecond: 1234.5, ETA: 90 * time.Minute}
	a, _, errw := testApp()
	now := time.Unix(1000, 0)
	w := &progress{a: a, label: "r", unit: "image", total: 64_000, now: func() time.Time { return now }}
	w.Step(train.Progress{Step: 1}) // the first is no line
	now = now.Add(quietInterval - 1)
	w.Step(p)
	if errw.Len() > 0 {
		t.Errorf("a line too early: %s", errw)
	}
	now = now.Add(1)
	w.Step(p)
	w.Step(p)
	same(t, errw.String(), "r step 1,200/64,000  epoch 3.07  loss 1.235  error 45.7%  rate 0.1  1234 images/s  left 1h30m\n")
	for room, want := range map[int]string{
		80: "r epoch 3.07 loss 1.235 error 45.7% rate 0.1 1234 utterances/s left 1h30m",
		68: "r epoch 3.07 loss 1.235 error 45.7% 1234 utterances/s left 1h30m",
		60: "r loss 1.235 error 45.7% 1234 utterances/s left 1h30m",
		42: "r error 45.7% 1234 utterances/s left 1h30m",
		40: "r 1234 utterances/s left 1h30m",
		12: "left 1h30m",
	} {
		if got := text.Fit(append([]string{"r"}, experiment.ProgressParts(p, "utterance")...), leastParts, room); got != want {
			t.Errorf("in %d columns: %s, want %s", room, got, want)
		}
	}
	p.ETA = 0
	if got := experiment.ProgressParts(p, "image"); len(got) != 5 {
		t.Errorf("nothing is left: %q", got)
	}
}

func TestAnEvaluationIsALineOfWhatWasMeasured(t *testing.T) {
	m := func(e float64) *train.Metrics { return &train.Metrics{Error: e, Loss: e / 10} }
	r := train.Row{Step: 1000, Epoch: 2.56, Train: m(40), Val: m(30.125), Test: m(20), TrainEval: m(10)}
	if got, want := describeRow("r", r), "r epoch 2.6, step 1,000: train error 40.00%, loss 4.0000; validation error 30.12%, loss 3.0125; "+
		"test error 20.00%, loss 2.0000; training set error 10.00%, loss 1.0000"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := describeRow("r", train.Row{Step: 2, Epoch: 1, Test: m(20)}); got != "r epoch 1.0, step 2: test error 20.00%, loss 2.0000" {
		t.Error(got)
	}
}

func TestAnEndedRunSaysHowItGoesOn(t *testing.T) {
	a, _, errw := testApp()
	a.self = "resnet"
	w := &watcher{}
	w.first.Store(exitTerminated)
	sum := train.Summary{State: train.State{Step: 1234}}
	if err := a.finishRun("my run", sum, train.ErrStopped, w); exitStatus(err) != exitTerminated {
		t.Errorf("stopped: %v", err)
	}
	if err := a.finishRun("my run", sum, train.ErrMaxTime, w); err != nil {
		t.Errorf("the time is over: %v", err)
	}
	if err := a.finishRun("my run", sum, train.ErrNonFinite, w); !errors.Is(err, train.ErrNonFinite) {
		t.Errorf("not finite: %v", err)
	}
	same(t, errw.String(), "Saved step 1,234. Continue: resnet train --resume 'my run'\nThe time allowed has passed. Saved step 1,234. Continue: resnet train --resume 'my run'\n")
}

func TestACounterSaysHowFarItIs(t *testing.T) {
	a, _, errw := testApp()
	c := &counter{a: a, label: "features"}
	c.begin(12_000)
	c.set(1)
	c.last = c.last.Add(-quietInterval)
	c.set(3000)
	c.set(3001)
	same(t, errw.String(), "features: 3,000 of 12,000\n")
}

// memoryLimits are those of a machine of 16 GB and of others.
func memoryLimits(free int64, others ...system.Limit) []system.Limit {
	return append([]system.Limit{{Kind: system.Machine, Bytes: 16e9, Used: 16e9 - free}}, others...)
}

// healthy is a machine on which doctor finds nothing.
func healthy() doctorReport {
	return doctorReport{
		Version: versionInfo{Version: "v1", Go: "go1.26", Kernels: "avx2"},
		System:  system.Info{CPU: "A CPU", Cores: 8, Threads: 8, MemoryTotal: 16e9, MemoryFree: 8e9, Limits: memoryLimits(8e9)},
		Kernels: []string{"avx2", "generic"}, BFloat16: "generic", DiskFree: 50e9,
		Data: []experiment.DataState{{Name: "cifar10", State: "absent"}, {Name: "mnist", State: "present"}, {Name: "folder"}},
	}
}

func TestADoctorFindsWhatWouldGoWrong(t *testing.T) {
	r := healthy()
	got, _ := printed(t, func(a *app) error { return a.printFindings(r.examine()) })
	same(t, got, `ok  resnet        v1, go1.26
ok  processor     A CPU, 8 logical cores
ok  kernels       avx2 (of avx2, generic)
ok  bfloat16      in memory alone: products are float32
ok  threads       8 by default
ok  memory        8 GB free of 16 GB
ok  disk          50 GB free in this folder
ok  data cifar10  absent
                  -> resnet data fetch cifar10
ok  data mnist    present
`)
	for _, c := range []struct {
		change            func(*doctorReport)
		name, value, hint string
		status            string
	}{
		{func(r *doctorReport) { r.Version.Kernels = "generic" }, "kernels", "generic (of avx2, generic)", "no assembly kernels", "warn"},
		{func(r *doctorReport) { r.BFloat16, r.BFloat16Available = "amx", []string{"amx", "generic"} }, "bfloat16", "amx (of amx, generic)", "", "ok"},
		{func(r *doctorReport) { r.System.Quota = 2.5 }, "threads", "8 by default, 2.5 cores allowed by the control group", "use --threads 2", "warn"},
		{func(r *doctorReport) { r.System.Quota = 0.4 }, "threads", "8 by default, 0.4 cores allowed by the control group", "use --threads 1", "warn"},
		{func(r *doctorReport) { r.System.Quota = 7 }, "threads", "8 by default, 7 cores allowed by the control group", "use --threads 7", "warn"},
		{func(r *doctorReport) { r.System.Quota = 7.5 }, "threads", "8 by default, 7.5 cores allowed by the control group", "", "ok"},
		{func(r *doctorReport) { r.System.Limits = nil }, "memory", "unknown on this system", "", "ok"},
		{func(r *doctorReport) { r.System.Limits = memoryLimits(2e9 - 1) }, "memory", "2 GB free of 16 GB", "lower train.batch", "warn"},
		{func(r *doctorReport) { r.System.Limits = memoryLimits(2e9) }, "memory", "2 GB free of 16 GB", "", "ok"},
		{
			func(r *doctorReport) {
				r.System.Limits = memoryLimits(8e9, system.Limit{Kind: system.ControlGroup, Source: "/g/memory.max", Bytes: 3e9, Used: 2e9})
			}, "memory", "1 GB free of 16 GB: the control group (/g/memory.max) allows 3 GB", "lower train.batch", "warn",
		},
		{
			func(r *doctorReport) {
				r.System.Limits = memoryLimits(8e9, system.Limit{Kind: system.GoLimit, Source: "GOMEMLIMIT", Bytes: 4e9, Used: 1e9})
			}, "memory", "3 GB free of 16 GB: GOMEMLIMIT allows 4 GB", "", "ok",
		},
		{func(r *doctorReport) { r.DiskFree = 0 }, "disk", "unknown on this system", "", "ok"},
		{func(r *doctorReport) { r.DiskFree = 1e9 - 1 }, "disk", "1 GB free in this folder", "make room", "warn"},
		{func(r *doctorReport) { r.DiskFree = 1e9 }, "disk", "1 GB free in this folder", "", "ok"},
		{func(r *doctorReport) { r.Data[1].State, r.Data[1].Local = "absent", "image-net.org gives it" }, "data mnist", "absent", "image-net.org gives it", "ok"},
		{func(r *doctorReport) { r.Data[1].State = "damaged" }, "data mnist", "damaged", "resnet data verify mnist", "warn"},
	} {
		r := healthy()
		c.change(&r)
		for _, f := range r.examine() {
			if f.Name == c.name {
				if f.Status != c.status || f.Value != c.value || !strings.Contains(f.Hint, c.hint) || c.hint == "" && f.Hint != "" {
					t.Errorf("%+v, want %s, %q, %q", f, c.status, c.value, c.hint)
				}
			} else if f.Status != "ok" {
				t.Errorf("%s: %+v", c.name, f)
			}
		}
	}
}

func TestAWrongCalculationIsAFault(t *testing.T) {
	a, _, _ := testApp()
	for p, name := range map[graph.Precision]string{graph.Float32: "self-test", graph.BFloat16: "self-test bfloat16"} {
		if f := a.selfTest(p, 1); f.Status != "ok" || !strings.Contains(f.Value, "of the reference") || f.Name != name {
			t.Errorf("%+v", f)
		}
	}
	a.env = []string{"RESNET_MACHINE=abacus"}
	if f := a.selfTest(graph.Float32, 1); f.Status != "fail" || !strings.Contains(f.Value, "abacus") {
		t.Errorf("%+v", f)
	}
	for worst, want := range map[float64]string{0.5e-3: "ok", 1e-3: "fail", math.NaN(): "fail"} {
		if f := judgeSelfTest(graph.Float32, worst, nil, time.Second); f.Status != want {
			t.Errorf("%v: %+v, want %s", worst, f, want)
		}
		// Of bfloat16 twenty times as much may be.
		if f := judgeSelfTest(graph.BFloat16, 20*worst, nil, time.Second); f.Status != want {
			t.Errorf("%v in bfloat16: %+v, want %s", 20*worst, f, want)
		}
	}
}

// TestAnInstructionSetIsForced: those of bfloat16 stand above the others.
func TestAnInstructionSetIsForced(t *testing.T) {
	best, bestBF16 := kernel.Active(), kernel.ActiveBF16()
	force := func(name string) error {
		_ = kernel.Use(best)
		_ = kernel.UseBF16(bestBF16)
		a, _, _ := testApp()
		a.env = []string{"RESNET_CPU=" + name}
		return a.chooseKernels()
	}
	t.Cleanup(func() { _ = force("") })
	for _, name := range kernel.Available() {
		if err := force(name); err != nil || kernel.Active() != name || kernel.ActiveBF16() != "generic" {
			t.Errorf("%s: %s and %s (%v)", name, kernel.Active(), kernel.ActiveBF16(), err)
		}
	}
	for _, name := range kernel.AvailableBF16() {
		if name == "generic" {
			continue
		}
		if err := force(name); err != nil || kernel.Active() != best || kernel.ActiveBF16() != name {
			t.Errorf("%s: %s and %s (%v)", name, kernel.Active(), kernel.ActiveBF16(), err)
		}
	}
	if err := force("sse9"); err == nil || !strings.Contains(err.Error(), "RESNET_CPU=sse9") {
		t.Errorf("sse9: %v", err)
	}
}

func TestFilesOfSpeechAreDescribedInWords(t *testing.T) {
	for _, c := range []struct {
		kinds map[string]int
		want  string
	}{{map[string]int{"FM": 1200}, "FM"}, {map[string]int{"FM": 1200, "CM": 2}, "2 CM, 1,200 FM"}, {nil, ""}} {
		if got := kindsText(c.kinds); got != c.want {
			t.Errorf("%v: %q, want %q", c.kinds, got, c.want)
		}
	}
	for _, c := range []struct {
		numbers []int
		want    string
	}{{[]int{1, 2, 3, 4, 5, 6}, "1, 2, 3, 4, 5, 6"}, {[]int{1, 2, 3, 4, 5, 6, 9}, "1 to 9"}} {
		if got := numbersText(c.numbers); got != c.want {
			t.Errorf("%v: %q, want %q", c.numbers, got, c.want)
		}
	}
}

func TestOutputsOfSpeechAreTwoFiles(t *testing.T) {
	for out, want := range map[string][2]string{"a.ark": {"a.ark", "a.scp"}, "ark:d/a.ark": {"d/a.ark", "d/a.scp"}, "ark,scp:x,y": {"x", "y"}} {
		if ark, scp, err := outputs("c", out); err != nil || ark != want[0] || scp != want[1] {
			t.Errorf("%s: %s, %s (%v)", out, ark, scp, err)
		}
	}
	for _, out := range []string{"", ".ark", "a.scp", "ark,scp:x", "ark,scp:,y", "ark,scp:x,", "ark,scp:x,x", "ark,scp:-,y", "ark,scp:x,| cat", "a|b.ark"} {
		if _, _, err := outputs("c", out); exitStatus(err) != exitUsage {
			t.Errorf("%q: %v", out, err)
		}
	}
}

func TestTextIsAsWideAsTheTerminalUpToAHundredColumns(t *testing.T) {
	for width, want := range map[int]int{0: 100, 40: 40, 99: 99, 100: 100, 200: 100} {
		if got := (&app{outWidth: width}).textWidth(); got != want {
			t.Errorf("%d columns: %d, want %d", width, got, want)
		}
	}
	for _, c := range []struct {
		env           []string
		unicode, bold bool
	}{
		{nil, false, true},
		{[]string{"LANG=de_DE.UTF-8", "NO_COLOR=1"}, true, false},
		{[]string{"LC_ALL=C", "LANG=en_US.UTF-8"}, false, true},
		{[]string{"LC_CTYPE=en_US.utf8", "LANG=C", "TERM=dumb"}, true, false},
	} {
		a := &app{env: c.env, outTTY: true}
		if a.unicode() != c.unicode || (a.bold("x") != "x") != c.bold {
			t.Errorf("%v: unicode %v, bold %q", c.env, a.unicode(), a.bold("x"))
		}
	}
}

func TestAWriterThatFailedStaysSilent(t *testing.T) {
	w := &failing{left: 1}
	m := &muteWriter{w: w}
	for _, s := range []string{"one", "two", "three"} {
		if n, err := m.Write([]byte(s)); n != len(s) || err != nil {
			t.Errorf("%s: %d (%v)", s, n, err)
		}
	}
	if w.b.String() != "one" || w.calls != 2 {
		t.Errorf("%q in %d calls", w.b.String(), w.calls)
	}
}

// TestResultsThatCannotBeWrittenEndACommand: a training whose result is lost has not succeeded.
func TestResultsThatCannotBeWrittenEndACommand(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("there is no /dev/full here")
	}
	defer full.Close()
	t.Chdir(t.TempDir())
	args := []string{"train", "--config", "quickstart", "--set", "model.depth=8", "--set", "train.iterations=1", "--set", "data.limit=64", "--set", "data.downsample=4", "--json"}
	var errw bytes.Buffer
	if status := run(args, strings.NewReader(""), full, &errw); status != exitIO {
		t.Errorf("status %d, want %d: %s", status, exitIO, errw.String())
	}
	for _, c := range []struct {
		err     error
		results bool
		want    error
	}{{syscall.EPIPE, true, nil}, {syscall.EIO, true, nil}, {syscall.ENOSPC, true, syscall.ENOSPC}, {syscall.ENOSPC, false, nil}} {
		m := &muteWriter{w: &refusing{c.err}, results: c.results}
		for range 2 {
			if _, err := m.Write([]byte("x")); !errors.Is(err, c.want) {
				t.Errorf("%v, results %v: %v", c.err, c.results, err)
			}
		}
	}
}

type refusing struct{ err error }

func (r *refusing) Write([]byte) (int, error) {
	return 0, &fs.PathError{Op: "write", Path: "out", Err: r.err}
}

type failing struct {
	b           bytes.Buffer
	left, calls int
}

func (f *failing) Write(p []byte) (int, error) {
	if f.calls++; f.left == 0 {
		return 0, errors.New("closed")
	}
	f.left--
	return f.b.Write(p)
}

func TestEvalTakesTheProtocolOfItsTable(t *testing.T) {
	for _, c := range []struct {
		table  int
		chosen bool
		want   string
	}{{0, false, "1"}, {3, false, eval.CropsTen}, {6, false, eval.CropsOne}, {3, true, "1"}} {
		o := &evalOptions{table: c.table}
		o.View.Crops = "1"
		if err := o.byTable(c.chosen); err != nil || o.View.Crops != c.want {
			t.Errorf("table %d: crops %s (%v), want %s", c.table, o.View.Crops, err, c.want)
		}
	}
}

func TestFlagsThatContradictWhatThereIsAreRefused(t *testing.T) {
	for _, args := range []string{
		"eval x --split all", "eval x --json --markdown", "eval x --table 3 --classes", "eval x --limit -1", "eval x --batch -1", "eval x --threads -1",
		"eval x --predictions p.txt", "eval x --data cifra10", "predict x y --top 0", "predict x y --batch 0", "predict x y --threads -1",
		"speech adapt x --out y --split all", "speech adapt x --out y --batch 0", "speech adapt x --out y --buckets 0", "speech adapt x --out y --confidence 1.1",
		"speech adapt x --out y --confidence -0.1", "speech adapt x --out y --alignments a --labels b", "speech posteriors x y --out z.ark --batch 0",
		"speech posteriors x y --out z.ark --buckets 0", "speech features x --out y.ark --rate -1", "speech features x --out y.ark --channel -2",
		"speech features x --out y.ark --statistics z", "bench peak --threads -1", "bench conv --milliseconds 0", "bench train --batch -1", "bench train --steps 0",
		"bench train --threads -1", "bench data --batch 0", "bench data --seconds 0", "bench data --seconds 3601", "bench data --threads -1", "quickstart --threads -1",
		"train --config cifar20 --threads -1", "train --config cifar20 --max-memory x", "train", "compare runs", "compare depth --threads -1", "config init a b", "models show",
	} {
		var out, errw bytes.Buffer
		if status := run(strings.Fields(args), strings.NewReader(""), &out, &errw); status != exitUsage || out.Len() > 0 || errw.Len() == 0 {
			t.Errorf("%s: status %d, %q, %q", args, status, out.String(), errw.String())
		}
	}
}

func TestTheNetworksOfTheQuickstartAreATable(t *testing.T) {
	spec, err := blocks.Lookup("resnet20")
	if err != nil {
		t.Fatal(err)
	}
	nets := []*experiment.Entrant{{Name: "plain", Params: 269_722, TrainError: 12.345, TestError: 23.456, Seconds: 61, Experiment: &experiment.Experiment{Spec: spec}}}
	got, _ := printed(t, func(a *app) error { return a.printEntrants(nets) })
	same(t, got, `   network   layers   parameters   train top-1 error   test top-1 error    time
     plain       20      269,722              12.35%             23.46%   1m01s
`)
}
