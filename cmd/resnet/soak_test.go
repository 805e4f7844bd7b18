//go:build unix

package main

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"resnet/internal/folderlock"
	"resnet/internal/train/checkpoint"
)

// soakCase is a command that is killed at random moments, four processes of it at once on one
// output.
type soakCase struct {
	name string
	// args are the command's arguments for an output folder, which may hold what an earlier process
	// has left.
	args func(out string) []string
	// files are patterns of the output's files whose bytes do not depend on how often it was
	// killed.
	files []string
	// taken are parts of the messages of a process that finds the work done.
	taken []string
	// runs are the run folders in the output, whose checkpoints must not go back.
	runs []string
}

var tinyTraining = []string{
	"--set", "data.limit=256", "--set", "train.epochs=2", "--set", "train.schedule.drop.at_epochs=1", "--set", "train.checkpoint.every=1", "--threads", "1",
}

func soakCases(t *testing.T, kills int) []soakCase {
	dir := t.TempDir()
	recordings, photos := filepath.Join(dir, "wav"), filepath.Join(dir, "photos")
	for i := range min(60, 20*kills) {
		put(t, filepath.Join(recordings, fmt.Sprintf("%d_ann_%d.wav", i%10, i/10)), tone(16000+40*i, 200+10*float64(i)))
	}
	for i := range 48 {
		var b bytes.Buffer
		if err := png.Encode(&b, noise(uint64(i))); err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(photos, "train", string(rune('a'+i%3)), fmt.Sprintf("%d.png", i)), b.Bytes())
	}
	return []soakCase{
		{
			name: "train", files: []string{"metrics.csv", "config.yaml"}, runs: []string{"."},
			taken: []string{"holds a run already"},
			args: func(out string) []string {
				if _, err := os.Stat(filepath.Join(out, "config.yaml")); err == nil {
					return []string{"train", "--resume", out, "--threads", "1"}
				}
				return append([]string{"train", "--config", "quickstart", "--set", "model.depth=8", "--run", out}, tinyTraining...)
			},
		},
		{
			name: "compare", files: []string{"points.csv", "*/metrics.csv"}, runs: []string{"plain8-seed1", "resnet8-seed1"},
			args: func(out string) []string {
				return append([]string{"compare", "plain-vs-residual", "--config", "quickstart", "--depths", "8", "--out", out}, tinyTraining...)
			},
		},
		{
			name: "speech features", files: []string{"x.ark", "x.scp"},
			args: func(out string) []string {
				return []string{"speech", "features", recordings, "--out", filepath.Join(out, "x.ark"), "--threads", "1"}
			},
		},
		{
			name: "data pack", files: []string{"*.data", "*.index", "*.json"}, taken: []string{"holds a pack already"},
			args: func(out string) []string {
				return []string{"data", "pack", "folder", "--dir", photos, "--out", out, "--shorter", "100"}
			},
		},
	}
}

func put(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, data, 0o644)); err != nil {
		t.Fatal(err)
	}
}

func noise(seed uint64) image.Image {
	r := rand.New(rand.NewPCG(seed, 1))
	img := image.NewRGBA(image.Rect(0, 0, 200, 150))
	for y := range 150 {
		for x := range 200 {
			img.Set(x, y, color.RGBA{byte(r.Uint32()), byte(x), byte(y), 255})
		}
	}
	return img
}

// TestSoak kills every command RESNET_SOAK times (2 without it): `make soak` sets 50. The moments
// follow from RESNET_SOAK_SEED. The like of data fetch is in internal/datasets.
func TestSoak(t *testing.T) {
	kills, limit := 2, 2*time.Minute
	if s := os.Getenv("RESNET_SOAK"); s != "" {
		var err error
		if kills, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
		limit = 9 * time.Minute
	}
	seed := rand.Uint64()
	if s := os.Getenv("RESNET_SOAK_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("RESNET_SOAK_SEED=%d", seed)
	end, cases := time.Now().Add(limit), soakCases(t, kills)
	for i, c := range cases {
		// What one leaves the next may take.
		deadline := time.Now().Add(time.Until(end) / time.Duration(len(cases)-i))
		t.Run(c.name, func(t *testing.T) {
			s := soak{t: t, soakCase: c, r: rand.New(rand.NewPCG(seed, uint64(i))), deadline: deadline}
			s.run(kills)
		})
	}
}

type soak struct {
	t *testing.T
	soakCase
	r        *rand.Rand
	deadline time.Time

	took     time.Duration // of an undisturbed one
	want     map[string]string
	statuses map[string]int
	kills    int
	lives    int
}

func (s *soak) run(kills int) {
	whole := s.t.TempDir()
	begun := time.Now()
	s.statuses = map[string]int{}
	s.finish(whole)
	s.took = time.Since(begun)
	if s.want = s.contents(whole); len(s.want) < len(s.files) {
		s.t.Fatalf("an undisturbed one writes %d files", len(s.want))
	}
	s.nothingLeft(whole)
	for s.kills < kills && !s.t.Failed() {
		if time.Now().After(s.deadline) {
			s.t.Errorf("%d of %d kills in the time allowed", s.kills, kills)
			break
		}
		s.life(kills)
	}
	s.t.Logf("%s: %d kills in %d lives of an output, each process by itself %v; ends: %v", s.name, s.kills, s.lives, s.took.Round(time.Millisecond), s.statuses)
}

// life is that of one output: rounds of four processes until one has done the work, and then one
// that is left alone.
func (s *soak) life(kills int) {
	s.lives++
	out := filepath.Join(s.t.TempDir(), "out")
	if err := os.Mkdir(out, 0o755); err != nil {
		s.t.Fatal(err)
	}
	for done := false; !done && s.kills < kills && !s.t.Failed() && time.Now().Before(s.deadline); {
		before := s.steps(out)
		done = s.round(out)
		s.notBehind(before, s.steps(out))
	}
	s.finish(out)
	got := s.contents(out)
	for name, want := range s.want {
		if got[name] != want {
			s.t.Errorf("%s: %d bytes, not the %d of an undisturbed one", filepath.Join(out, name), len(got[name]), len(want))
		}
	}
	if len(got) != len(s.want) {
		s.t.Errorf("%d files, want %d", len(got), len(s.want))
	}
	s.nothingLeft(out)
}

var savedStep = regexp.MustCompile(`Saved step ([\d,]+)`)

// round starts four processes, one after another, and stops each at a moment of its own, with a
// signal of its own. It reports whether one of them has done the work.
func (s *soak) round(out string) (done bool) {
	var mu sync.Mutex
	var group sync.WaitGroup
	saved := 0
	for range 4 {
		signal := []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGINT}[s.r.IntN(3)]
		pause, after := time.Duration(s.r.Float64()*float64(s.took)), time.Duration(s.r.Float64()*float64(s.took))
		group.Go(func() {
			time.Sleep(pause)
			args := s.args(out)
			c := exec.Command("resnet", args...)
			var said bytes.Buffer
			c.Stdout, c.Stderr = &said, &said
			if err := c.Start(); err != nil {
				s.t.Error(err)
				return
			}
			ended := make(chan error, 1)
			go func() { ended <- c.Wait() }()
			killed := false
			select {
			case <-ended:
			case <-time.After(after):
				killed = c.Process.Signal(signal) == nil
				select {
				case <-ended:
				case <-time.After(time.Minute):
					_ = c.Process.Signal(syscall.SIGQUIT) // it says where it hangs
					<-ended
				}
			}
			mu.Lock()
			defer mu.Unlock()
			if killed {
				s.kills++
			}
			if !s.ended(c, signal, killed, said.String()) {
				s.t.Errorf("%q: %v: %s", args, c.ProcessState, said.String())
			}
			done = done || c.ProcessState.ExitCode() == 0
			for _, m := range savedStep.FindAllStringSubmatch(said.String(), -1) {
				n, _ := strconv.Atoi(strings.ReplaceAll(m[1], ",", ""))
				saved = max(saved, n)
			}
		})
	}
	group.Wait()
	if now := s.steps(out); len(now) > 0 && slices.Max(now) < saved {
		s.t.Errorf("step %d was said to be saved, and there is %v", saved, now)
	}
	return done
}

// ended reports whether a process may end so.
func (s *soak) ended(c *exec.Cmd, signal syscall.Signal, killed bool, said string) bool {
	status := c.ProcessState.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		s.statuses[status.Signal().String()]++
		return killed && status.Signal() == signal
	}
	code := status.ExitStatus()
	s.statuses[strconv.Itoa(code)]++
	switch code {
	case exitOK:
		return true
	case exitLocked:
		return strings.Contains(said, ": process ") || strings.Contains(said, ": another process ")
	case exitUsage:
		return slices.ContainsFunc(s.taken, func(text string) bool { return strings.Contains(said, text) })
	case exitInterrupt:
		return killed && signal == syscall.SIGINT
	case exitTerminated:
		return killed && signal == syscall.SIGTERM
	}
	return false
}

// finish lets a process do the rest.
func (s *soak) finish(out string) {
	args := s.args(out)
	said, err := exec.Command("resnet", args...).CombinedOutput()
	if err != nil && !slices.ContainsFunc(s.taken, func(text string) bool { return strings.Contains(string(said), text) }) {
		s.t.Errorf("%q: %v: %s", args, err, said)
	}
}

// contents are the files that must be equal, by name.
func (s *soak) contents(out string) map[string]string {
	list := map[string]string{}
	for _, pattern := range s.files {
		paths, _ := filepath.Glob(filepath.Join(out, pattern))
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				s.t.Error(err)
			}
			name, _ := filepath.Rel(out, path)
			// A script names its archive, and a configuration its folder.
			list[name] = strings.ReplaceAll(string(data), out, "OUT")
		}
	}
	for _, run := range s.runs {
		view := checkpoint.View(filepath.Join(out, run), nil)
		saved, problems, err := view.List()
		if err != nil || len(problems) > 0 {
			s.t.Error(err, problems)
		}
		for _, m := range saved { // the names of the files say how often the step was saved
			list[fmt.Sprintf("%s: step %d", run, m.Step)] = fmt.Sprint(m.Final, m.Metrics, m.Model.SHA256, m.State.SHA256)
		}
	}
	return list
}

// steps are those of the newest checkpoint of each run.
func (s *soak) steps(out string) (steps []int) {
	for _, run := range s.runs {
		step := 0
		if m, err := checkpoint.View(filepath.Join(out, run), nil).Latest(); err == nil {
			step = int(m.Step)
		}
		steps = append(steps, step)
	}
	return steps
}

func (s *soak) notBehind(before, after []int) {
	for i := range before {
		if after[i] < before[i] {
			s.t.Errorf("%s: step %d was saved, and now there is %d", s.runs[i], before[i], after[i])
		}
	}
}

// nothingLeft requires that there are no temporary files and that no lock is held.
func (s *soak) nothingLeft(out string) {
	err := filepath.WalkDir(out, func(path string, e fs.DirEntry, err error) error {
		switch name := e.Name(); {
		case err != nil:
			return err
		case strings.Contains(name, ".tmp"):
			s.t.Errorf("left behind: %s", path)
		case name == "lock" || strings.HasSuffix(name, ".lock"):
			l, err := folderlock.Acquire(path, "testing")
			if err != nil {
				s.t.Errorf("still held: %v", err)
				return nil
			}
			return l.Release()
		}
		return nil
	})
	if err != nil {
		s.t.Error(err)
	}
}
