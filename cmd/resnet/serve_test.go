//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"resnet/internal/experiment"
)

var classifier = filepath.Join("..", "..", "testdata", "classifier")

// TestServeAnswersWhatPredictPrints, to many at once, and ends as it is told.
func TestServeAnswersWhatPredictPrints(t *testing.T) {
	network := filepath.Join(classifier, "fashion8.safetensors")
	images := map[string][]byte{}
	want := map[string]experiment.Prediction{}
	for _, name := range []string{"boot.png", "dress.png"} {
		path := filepath.Join(classifier, name)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		images[name] = data
		var out, errs bytes.Buffer
		if status := run([]string{"predict", network, path, "--json", "--top", "3"}, strings.NewReader(""), &out, &errs); status != 0 {
			t.Fatal(errs.String())
		}
		var doc struct{ Images []experiment.Prediction }
		if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
			t.Fatal(err)
		}
		p := doc.Images[0]
		p.Image = ""
		want[name] = p
	}
	for signal, status := range map[syscall.Signal]int{syscall.SIGTERM: exitTerminated, syscall.SIGINT: exitInterrupt} {
		c, out := started(t, "http://", "serve", network, "--listen", "127.0.0.1:0", "--top", "3", "--batch", "4")
		url := regexp.MustCompile(`http://\S+`).FindString(out.String())
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				for k := range 10 {
					name := []string{"boot.png", "dress.png"}[(g+k)%2]
					r, err := http.Post(url+"/predict", "image/png", bytes.NewReader(images[name]))
					if err != nil {
						t.Error(err)
						return
					}
					b, err := io.ReadAll(r.Body)
					r.Body.Close()
					var got experiment.Prediction
					if err != nil || r.StatusCode != 200 || json.Unmarshal(b, &got) != nil || !alike(got, want[name]) {
						t.Errorf("%s: %d %s, %v: %s", name, r.StatusCode, b, err, cmp.Diff(want[name], got))
					}
				}
			})
		}
		wg.Wait()
		if err := c.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		_ = c.Wait()
		if got := c.ProcessState.ExitCode(); got != status || !strings.Contains(out.String(), "Stopped: the requests in hand have been answered.") {
			t.Errorf("%v: status %d, want %d: %s", signal, got, status, out)
		}
	}
}

// alike leaves room for the rounding of the algorithms that a batch of several is computed with.
func alike(a, b experiment.Prediction) bool {
	if len(a.Top) != len(b.Top) || a.Error != b.Error || len(a.Top) == 0 {
		return false
	}
	for i, g := range a.Top {
		if w := b.Top[i]; g.Class != w.Class || g.Name != w.Name || g.Probability-w.Probability > 1e-5 || w.Probability-g.Probability > 1e-5 {
			return false
		}
	}
	return true
}

func TestServeSaysWhatIsWrongBeforeItListens(t *testing.T) {
	network := filepath.Join(classifier, "fashion8.safetensors")
	c, out := started(t, "http://", "serve", network, "--listen", "127.0.0.1:0", "--precision", "bfloat16")
	defer func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	}()
	if !strings.Contains(out.String(), ", colours as luma, bfloat16: http://") {
		t.Errorf("said %q", out.String())
	}
	taken := strings.TrimPrefix(regexp.MustCompile(`http://\S+`).FindString(out.String()), "http://")
	for _, c := range []struct {
		args   string
		status int
		want   string
	}{
		{"NET --listen " + taken, exitIO, "address already in use"},
		{"NET --listen nonsense", exitUsage, "--listen"},
		{"NET --delay -1s", exitUsage, "--delay -1s"},
		{"NET --timeout 0s", exitUsage, "--timeout 0s"},
		{"NET --timeout 2h", exitUsage, "--timeout 2h0m0s"},
		{"NET --grace -1s", exitUsage, "--grace -1s"},
		{"NET --batch 0", exitUsage, "--batch"},
		{"NET --crops 5", exitUsage, "--crops"},
		{"NET --precision int8", exitUsage, "float32 or bfloat16"},
		{"nowhere.safetensors", exitMissing, "no such checkpoint"},
		{"", exitUsage, "CHECKPOINT is missing"},
	} {
		var o, e bytes.Buffer
		args := append([]string{"serve"}, strings.Fields(strings.ReplaceAll(c.args, "NET", network))...)
		if status := run(args, strings.NewReader(""), &o, &e); status != c.status || !strings.Contains(e.String(), c.want) || o.Len() > 0 {
			t.Errorf("%s: status %d, want %d: %q, %q", c.args, status, c.status, o.String(), e.String())
		}
	}
}
