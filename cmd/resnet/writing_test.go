//go:build unix

package main

import (
	"bytes"
	"fmt"
	"image/png"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const tinySpeech = `
model: {name: wrbn, speech: {stem_width: 4, widths: [5], depths: [1], units: 4, dense: 6}}
data: {name: fsdd}
speech: {frontend: {rate: 8000, bins: 8}, test_speakers: bob, buckets: 2}
train: {batch: 6, epochs: 1, clip_norm: 5, optimizer: {name: adam, weight_decay: 0}, schedule: {rate: 0.002}}
eval: {every_epochs: 1, batch: 4}
`

// TestWhatEveryCommandWritesAndSays runs every command that writes, with umask 0, in a folder whose
// name would command a terminal. Whoever may write to a file of another user could change results.
func TestWhatEveryCommandWritesAndSays(t *testing.T) {
	dir := filepath.Join(t.TempDir(), hostile)
	fixtures, err := filepath.Abs("../../testdata")
	if err != nil {
		t.Fatal(err)
	}
	inputs := filepath.Join(dir, "in")
	for s, speaker := range []string{"ann", "bob"} {
		for digit := range 10 {
			put(t, filepath.Join(inputs, "wav", fmt.Sprintf("%d_%s_%d.wav", digit%5, speaker, digit/5)), tone(1800+80*(6*s+digit), 250+350*float64(digit%5)))
		}
	}
	var picture bytes.Buffer
	if err := png.Encode(&picture, noise(1)); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(inputs, "photos", "train", "a", "x.png"), picture.Bytes())
	put(t, filepath.Join(inputs, "photos", "test", "a", "y.png"), picture.Bytes())
	put(t, filepath.Join(inputs, "speech.yaml"), []byte(tinySpeech))
	put(t, filepath.Join(inputs, "utt2spk"), []byte("1_ann_0 ann\n1_bob_0 bob\n"))
	made := filepath.Join(dir, "made")
	if err := os.Mkdir(made, 0o755); err != nil {
		t.Fatal(err)
	}
	in, out := func(name string) string { return filepath.Join(inputs, name) }, func(name string) string { return filepath.Join(made, name) }
	tiny := append([]string{"--set", "model.depth=8"}, tinyTraining...)
	for _, args := range [][]string{
		append([]string{"train", "--config", "quickstart", "--run", out("run")}, tiny...),
		{"train", "--resume", out("run")},
		append([]string{"train", "--config", "quickstart", "--run", out("log"), "--set", "train.tensorboard=true", "--json"}, tiny...),
		{"eval", out("run"), "--predictions", out("p.csv"), "--classes", "--limit", "20"},
		{"eval", out("run"), "--predictions", out("p.jsonl"), "--json", "--limit", "20"},
		{"predict", out("run"), in("photos/test/a/y.png")},
		{"predict", out("run"), in("photos/test/a/y.png"), "--json"},
		{"embed", out("run"), in("photos/test/a/y.png"), "--out", out("f.npy")},
		{"embed", out("run"), in("photos/test/a/y.png"), "--out", out("f.csv"), "--nearest", in("photos/test/a/y.png"), "--json"},
		{"explain", out("run"), in("photos/test/a/y.png"), "--out", out("why.png")},
		append([]string{"compare", "plain-vs-residual", "--config", "quickstart", "--depths", "8", "--out", out("compared")}, tinyTraining...),
		{"compare", "runs", out("run"), out("log"), "--out", out("runs")},
		{"compare", "runs", out("run"), "--out", out("runs"), "--json"},
		append([]string{"quickstart", "--out", out("quick"), "--threads", "1"}, tiny[:8]...),
		{"export", out("run"), "--format", "onnx", "--out", out("x.onnx")},
		{"export", out("run"), "--format", "safetensors", "--out", out("x.safetensors"), "--json"},
		{"import", filepath.Join(fixtures, "torch", "tiny.safetensors"), "--arch", "tiny-a", "--out", out("y.safetensors")},
		{"config", "init", out("c.yaml")},
		{"config", "validate", out("c.yaml")},
		{"data", "pack", "folder", "--dir", in("photos"), "--out", out("pack")},
		{"data", "verify", "folder", "--dir", in("photos")},
		{"data", "info", "folder", "--dir", in("photos")},
		{"speech", "features", in("wav"), "--out", out("x.ark"), "--normalize", "utterance"},
		{"speech", "info", out("x.ark")},
		{"train", "--config", in("speech.yaml"), "--set", "data.dir=" + in("wav"), "--run", out("wrbn")},
		{"speech", "adapt", out("wrbn"), "--iterations", "1", "--confidence", "0", "--out", out("a.safetensors")},
		{"speech", "posteriors", out("wrbn"), in("wav"), "--out", out("post.ark")},
	} {
		c := exec.Command("sh", append([]string{"-c", `umask 0; exec resnet "$@"`, "resnet"}, args...)...)
		c.Env = append(os.Environ(), "HOME="+out("home"), "XDG_CACHE_HOME="+out("home/cache"))
		said, err := c.CombinedOutput()
		if err != nil {
			t.Errorf("%q: %v: %s", args[:2], err, said)
		}
		if bad := commandsTerminal(string(said)); bad != "" {
			t.Errorf("%q: %s", args[:2], bad)
		}
	}
	files := map[string]bool{}
	err = filepath.WalkDir(made, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o644)
		if e.IsDir() {
			want = 0o755
		}
		if path != made && info.Mode().Perm() != want {
			t.Errorf("%s: %v, want %v", strings.TrimPrefix(path, made), info.Mode().Perm(), want)
		}
		files[filepath.Ext(path)] = true
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, ext := range []string{".html", ".svg", ".png", ".csv", ".jsonl", ".onnx", ".safetensors", ".json", ".yaml", ".ark", ".scp", ".data", ".index", ".resnet"} {
		if !files[ext] {
			t.Errorf("no command has written a file %s", ext)
		}
	}
}
