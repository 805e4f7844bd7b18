//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestAPipeIsRefusedAtOnceWhereverAFileIsRead: opening one would wait for its writer for ever, deaf
// to SIGTERM. The same commands refuse a folder and a socket.
func TestAPipeIsRefusedAtOnceWhereverAFileIsRead(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	pipe := func(name string) {
		if err := os.MkdirAll(filepath.Dir(at(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		_ = os.Remove(at(name))
		if err := syscall.Mkfifo(at(name), 0o644); err != nil {
			t.Skip(err)
		}
	}
	text := func(name, text string) {
		if err := os.MkdirAll(filepath.Dir(at(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at(name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text("tiny.yaml", "model: {family: cifar, depth: 8, residual: true}\ndata: {name: fashion-sample, downsample: 4, limit: 16, augment: {pad: 1}}\n"+
		"train: {batch: 4, iterations: 2, schedule: {rate: 0.05}, checkpoint: {every: 2}}\neval: {batch: 250}\n")
	if c := measure(t, dir, time.Minute, "train", "--config", "tiny.yaml", "--run", "run"); c.status != 0 {
		t.Fatalf("%+v", c)
	}
	entries, err := filepath.Glob(at("run/checkpoints/*.safetensors"))
	if err != nil || len(entries) == 0 {
		t.Fatal(entries, err)
	}
	model := entries[0]
	copies := 0
	run := func(name string) string { // a copy of the run, one file of which is a pipe
		copies++
		folder := "run" + strconv.Itoa(copies)
		if err := os.CopyFS(at(folder), os.DirFS(at("run"))); err != nil {
			t.Fatal(err)
		}
		matches, _ := filepath.Glob(at(folder + "/" + name))
		if len(matches) == 0 {
			matches = []string{at(folder + "/" + name)}
		}
		for _, m := range matches {
			rel, _ := filepath.Rel(dir, m)
			pipe(rel)
		}
		return folder
	}
	pipe("f")
	pipe("f.wav")
	pipe("f.png")
	pipe("f.scp")
	pipe("f.yaml")
	pipe("folder/train/a/1.png")
	pipe("folder/test/a/1.png")
	pipe("classes/classes.txt")
	text("classes/train/a/1.png", "")
	pipe("cifar/data_batch_1.bin")
	pipe("kaldi/feats.scp")
	text("pipe.scp", "key "+at("f")+"\n")
	text("pipe-wav.scp", "key "+at("f.wav")+"\n")
	for _, c := range []struct {
		args   string
		status int
	}{
		{"eval f", 65},
		{"predict f f.png", 65},
		{"predict run f.png", 65},
		{"predict run --classes-file f f.png", 2},
		{"import f --arch resnet20 --out o.safetensors", 65},
		{"export f --format onnx --out o.onnx", 65},
		{"config validate f.yaml", 2},
		{"train --config f.yaml", 2},
		{"compare plain-vs-residual --config f.yaml --out c", 2},
		{"speech info f", 65},
		{"speech info f.wav", 65},
		{"speech info f.scp", 65},
		{"speech info pipe.scp", 65},
		{"speech info pipe-wav.scp", 65},
		{"speech features f.wav --out o.ark", 65},
		{"speech features f.scp --out o.ark", 65},
		{"speech features pipe-wav.scp --out o.ark", 65},
		{"data info folder --dir folder", 65},
		{"data info folder --dir classes", 65},
		{"data info cifar10 --dir cifar", 65},
		{"data verify cifar10 --dir cifar", 65},
		{"train --resume " + run("lock"), 74},
		{"train --resume " + run("config.yaml"), 2},
		{"train --resume " + run("checkpoints/*.json"), 65},
		{"train --resume " + run("checkpoints/*.state.safetensors"), 65},
		{"eval " + run("checkpoints/*2.safetensors"), 66},
		{"eval " + run("checkpoints/*2.json"), 66},
		{"eval " + model, 0},
		{"compare runs run " + run("metrics.csv"), 0},
		{"compare runs run " + run("timing.csv"), 0},
		{"compare runs run " + run("env.json"), 65},
	} {
		got := measure(t, dir, 20*time.Second, strings.Fields(c.args)...)
		if got.status != c.status {
			t.Errorf("resnet %s: status %d after %v, want %d: %s%s", c.args, got.status, got.took, c.status, got.stdout, got.stderr)
		}
		if c.status != 0 && c.status != 66 && !strings.Contains(got.stderr+got.stdout, "a pipe") {
			t.Errorf("resnet %s: %s does not say what it is", c.args, got.stderr)
		}
	}
}
