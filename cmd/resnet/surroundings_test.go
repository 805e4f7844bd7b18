//go:build unix

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"resnet/internal/text"
)

// place is where a program runs: its folder, how paths that it is given begin, and its environment.
type place struct {
	dir    string // "" is a folder that is removed before the program starts
	prefix string
	env    []string
}

// environment is that of this process without what the tests are about, and with more.
func environment(more ...string) []string {
	env := slices.DeleteFunc(os.Environ(), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return slices.Contains([]string{"HOME", "XDG_CACHE_HOME", "LANG", "LC_ALL", "LC_CTYPE", "TERM", "PWD"}, name)
	})
	return append(env, more...)
}

// start runs the program to its end; it has no terminal.
func (p place) start(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	resnet, err := exec.LookPath("resnet") // which testscript.Main has put there
	if err != nil {
		t.Fatal(err)
	}
	argv := append([]string{resnet}, args...)
	if p.dir == "" {
		gone := filepath.Join(t.TempDir(), "gone")
		argv = append([]string{"sh", "-c", `mkdir "$0" && cd "$0" && rmdir "$0" && exec "$@"`, gone}, argv...)
	}
	c := exec.Command(argv[0], argv[1:]...)
	var out, errs bytes.Buffer
	c.Dir, c.Env, c.Stdout, c.Stderr = p.dir, p.env, &out, &errs
	var exit *exec.ExitError
	if err := c.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), out.String(), errs.String()
}

// prepare writes the files that the commands read.
func (p place) prepare(t *testing.T) {
	t.Helper()
	write := func(name string, data []byte) {
		path := p.prefix + name
		if !filepath.IsAbs(path) {
			path = p.dir + string(filepath.Separator) + path
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, data, 0o644)); err != nil {
			t.Skipf("the file system does not take the name: %v", err)
		}
	}
	picture, err := os.ReadFile("../../testdata/images/source.png")
	if err != nil {
		t.Fatal(err)
	}
	write("tiny.yaml", []byte(tinyConfig))
	write("picture.png", picture)
	for _, class := range []string{"ant", "bee"} {
		write("photos/train/"+class+"/1.png", picture)
		write("photos/val/"+class+"/1.png", picture)
	}
	write("rec/a.wav", tone(4000, 440))
}

// TestSurroundings runs the main commands where something usual is missing: each works, or says
// what is wrong.
func TestSurroundings(t *testing.T) {
	home := t.TempDir()
	sealed := t.TempDir()
	if err := os.Chmod(sealed, 0o555); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(sealed, 0o755) }) // so that it can be removed
	// Nobody makes a folder in a file, not even root.
	notAFolder := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(notAFolder, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	far := filepath.Join(t.TempDir(), "far") + string(filepath.Separator)
	for name, p := range map[string]place{
		"no home, no locale, no terminal":   {dir: t.TempDir(), env: environment()},
		"a home that may not be written":    {dir: t.TempDir(), env: environment("HOME="+sealed, "LANG=C")},
		"a home that is no folder":          {dir: t.TempDir(), env: environment("HOME="+notAFolder, "LC_ALL=C", "TERM=dumb")},
		"a removed working folder":          {prefix: far, env: environment("HOME=" + home)},
		"spaces and a line break":           {dir: t.TempDir(), prefix: " a b\n\x1b[2Jc ", env: environment("HOME=" + home)},
		"a dash, letters, what shells read": {dir: t.TempDir(), prefix: `-é漢q'"$(x);*&`, env: environment("HOME="+home, "LANG=C")},
		"bytes that are no UTF-8":           {dir: t.TempDir(), prefix: "\xff\xfe-", env: environment("HOME="+home, "LANG=en_US.UTF-8")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p.prepare(t)
			p.runAll(t)
		})
	}
}

// runAll runs each of the main commands.
func (p place) runAll(t *testing.T) {
	t.Helper()
	at := func(name string) string { return p.prefix + name }
	features := 0
	if strings.ContainsAny(p.prefix, " ") { // separates the fields of a script
		features = exitUsage
	}
	for _, c := range []struct {
		status int
		args   []string
		out    string // a part of standard output, or of standard error after a failure
	}{
		{0, []string{"config", "show", "--config=" + at("tiny.yaml")}, "depth: 8"},
		{0, []string{"config", "list"}, "quickstart"},
		{0, []string{"config", "validate", "--", at("tiny.yaml")}, ""},
		{exitUsage, []string{"config", "validate", "--", at("none.yaml")}, "none.yaml: no such file"},
		{0, []string{"models", "list"}, "resnet110"},
		{0, []string{"doctor"}, ""},
		{0, []string{"train", "--config=" + at("tiny.yaml"), "--run=" + at("run")}, "top-1 error"},
		{0, []string{"train", "--resume=" + at("run")}, "has finished"},
		{exitMissing, []string{"train", "--resume=" + at("none")}, "no run folder"},
		{0, []string{"eval", "--predictions=" + at("p.csv"), "--", at("run")}, "top-1 error"},
		{0, []string{"predict", "--", at("run"), at("picture.png")}, "1 view"},
		{exitMissing, []string{"predict", "--", at("run"), at("none.png")}, "none.png"},
		{0, []string{"compare", "runs", "--out=" + at("compared"), "--", at("run"), at("run")}, ""},
		{0, []string{"compare", "plain-vs-residual", "--config=" + at("tiny.yaml"), "--depths=8", "--out=" + at("pair")}, ""},
		{0, []string{"export", "--format=safetensors", "--out=" + at("w.safetensors"), "--", at("run")}, ""},
		{0, []string{"export", "--format=onnx", "--out=" + at("w.onnx"), "--", at("run")}, ""},
		{exitBadData, []string{"import", "--out=" + at("i.safetensors"), "--", at("picture.png")}, "picture.png"},
		{0, []string{"data", "list"}, "fashion-sample"},
		{0, []string{"data", "verify", "fashion-sample"}, "ok"},
		{exitMissing, []string{"data", "verify", "cifar10"}, "dir"},
		{0, []string{"data", "pack", "folder", "--dir=" + at("photos"), "--out=" + at("packed")}, ""},
		{0, []string{"data", "info", "packed", "--dir=" + at("packed")}, "bee"},
		{features, []string{"speech", "features", "--out=" + at("f.ark"), "--", at("rec")}, ""},
		{0, []string{"speech", "info", "--", at("rec/a.wav")}, "8000 Hz"},
	} {
		if p.dir != "" && p.prefix != "" && !strings.Contains(strings.Join(c.args, " "), p.prefix) {
			continue // it is given no path, and the rest of the place is usual
		}
		status, stdout, stderr := p.start(t, c.args...)
		said := stdout
		if status != 0 {
			said = stderr
		}
		switch {
		case status != c.status || !strings.Contains(said, c.out):
			t.Errorf("%q: status %d, want %d with %q: %s%s", c.args, status, c.status, c.out, stdout, stderr)
		case strings.Contains(stderr, "goroutine ") || strings.ContainsRune(stdout+stderr, '\x1b'):
			t.Errorf("%q wrote %q, %q", c.args, stdout, stderr)
		}
	}
}

// TestAHomeThatCannotBeWrittenIsSaidByFetch: the folder of the data is the one thing that is made
// below the home.
func TestAHomeThatCannotBeWrittenIsSaidByFetch(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for env, status := range map[string]int{"HOME=" + file: exitIO, "HOME=": exitMissing} {
		got, _, stderr := place{dir: t.TempDir(), env: environment(env)}.start(t, "data", "fetch", "cifar10")
		if got != status || !strings.Contains(stderr, "--dir") {
			t.Errorf("%s: status %d, want %d and what to do: %s", env, got, status, stderr)
		}
	}
}

// TestARemovedWorkingFolderIsSaid: a relative path leads nowhere then, whatever the path.
func TestARemovedWorkingFolderIsSaid(t *testing.T) {
	p := place{env: environment("HOME=" + t.TempDir())}
	for _, args := range [][]string{
		{"train", "--config", "quickstart", "--run", "x"},
		{"train", "--config", "x.yaml"},
		{"eval", "x"},
		{"predict", "x", "y.png"},
		{"speech", "features", "x", "--out", "y.ark"},
		{"data", "pack", "folder", "--dir", "x", "--out", "y"},
	} {
		status, stdout, stderr := p.start(t, args...)
		if status == 0 || stdout != "" || !strings.Contains(stderr, "the working folder has been removed") {
			t.Errorf("%q: status %d: %s%s", args, status, stdout, stderr)
		}
	}
}

// TestALauncherOfOneProcessChangesNothing: its variables, and those of a batch script's allocation,
// change no byte.
func TestALauncherOfOneProcessChangesNothing(t *testing.T) {
	p := place{dir: t.TempDir()}
	p.prepare(t)
	var runs [2]string
	for i, more := range [][]string{nil, {
		"OMPI_COMM_WORLD_RANK=0", "OMPI_COMM_WORLD_SIZE=1", "PMI_RANK=0", "PMI_SIZE=1", "SLURM_PROCID=0", "SLURM_NTASKS=2", "RANK=1", "WORLD_SIZE=2",
	}} {
		p.env = environment(append(more, "HOME="+t.TempDir())...)
		run := fmt.Sprint("run", i)
		if status, _, stderr := p.start(t, "train", "--config", "tiny.yaml", "--run", run); status != 0 {
			t.Fatalf("status %d: %s", status, stderr)
		}
		for _, name := range []string{"metrics.csv", "checkpoints/step-000002.safetensors", "checkpoints/step-000002.state.safetensors"} {
			data, err := os.ReadFile(filepath.Join(p.dir, run, name))
			if err != nil {
				t.Fatal(err)
			}
			runs[i] += string(data)
		}
	}
	if runs[0] != runs[1] {
		t.Error("the bytes of the run differ")
	}
}

// TestALauncherOfSeveralProcessesIsToldWhichBinary: the binary without MPI trains nothing, rather
// than the same several times in one folder. One process says so for all.
func TestALauncherOfSeveralProcessesIsToldWhichBinary(t *testing.T) {
	p := place{dir: t.TempDir()}
	p.prepare(t)
	for _, env := range [][]string{
		{"OMPI_COMM_WORLD_SIZE=2", "OMPI_COMM_WORLD_RANK="}, {"PMI_SIZE=2", "PMI_RANK="}, {"SLURM_NTASKS=2", "PMIX_RANK="},
	} {
		for _, rank := range []string{"0", "1"} {
			p.env = environment(env[0], env[1]+rank, "HOME="+t.TempDir())
			for _, args := range [][]string{{"train", "--config", "tiny.yaml", "--run", "run"}, {"quickstart"}} {
				status, stdout, stderr := p.start(t, args...)
				if status != exitUsage || stdout != "" || strings.Contains(stderr, "has started 2 processes") != (rank == "0") || rank != "0" && stderr != "" ||
					args[0] == "train" && rank == "0" && !strings.Contains(stderr, "resnet-mpi") {
					t.Errorf("%v %s, %v: status %d: %s", env, rank, args, status, stderr)
				}
			}
			if status, _, stderr := p.start(t, "version"); status != 0 {
				t.Errorf("version: status %d: %s", status, stderr)
			}
		}
	}
	if _, err := os.Stat(filepath.Join(p.dir, "run")); err == nil {
		t.Error("a run folder was made")
	}
}

// TestNothingOfTheEnvironmentIsKept looks into every file that a training leaves.
func TestNothingOfTheEnvironmentIsKept(t *testing.T) {
	const secret = "hunter2hunter2"
	p := place{dir: t.TempDir(), env: environment("HOME="+t.TempDir(), "AWS_SECRET_ACCESS_KEY="+secret, "RESNET_EVAL_BATCH=200")}
	p.prepare(t)
	if status, _, stderr := p.start(t, "train", "--config", "tiny.yaml", "--run", "run"); status != 0 {
		t.Fatalf("status %d: %s", status, stderr)
	}
	files := 0
	err := filepath.WalkDir(filepath.Join(p.dir, "run"), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte(secret)) || bytes.Contains(data, []byte("AWS_SECRET")) {
			t.Errorf("%s holds a secret of the environment", text.Printable(path))
		}
		return err
	})
	if err != nil || files < 8 {
		t.Errorf("%d files, %v", files, err)
	}
}

// TestModesUnderALaxUmask: with umask 0 nothing that a command writes may be written by others.
func TestModesUnderALaxUmask(t *testing.T) {
	p := place{dir: t.TempDir(), env: environment("HOME=" + t.TempDir())}
	p.prepare(t)
	resnet, err := exec.LookPath("resnet")
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"train", "--config", "tiny.yaml", "--run", "run"},
		{"eval", "run", "--predictions", "p.csv"},
		{"compare", "runs", "run", "run", "--out", "compared"},
		{"export", "run", "--format", "onnx", "--out", "w.onnx"},
		{"export", "run", "--format", "safetensors", "--out", "w.safetensors"},
		{"data", "pack", "folder", "--dir", "photos", "--out", "packed"},
		{"speech", "features", "rec", "--out", "f.ark"},
	} {
		c := exec.Command("sh", append([]string{"-c", `umask 0; exec "$@"`, "sh", resnet}, args...)...)
		c.Dir, c.Env = p.dir, p.env
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%q: %v: %s", args, err, out)
		}
	}
	err = filepath.WalkDir(p.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o022 != 0 {
			name, _ := filepath.Rel(p.dir, path)
			t.Errorf("%s has mode %v", name, info.Mode().Perm())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
