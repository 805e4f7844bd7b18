package checkpoint

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"resnet/internal/atomicfile"
	"resnet/internal/atomicfile/atomicfiletest"
	"resnet/internal/graph/weights"
)

// openOS opens a store on the real file system.
func openOS(t *testing.T, folder string) *Store {
	t.Helper()
	s, err := Open(folder, Options{Keep: 2, Producer: "resnet v0.1.0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestCheckpointsHoldNothingOfTheMachine(t *testing.T) {
	t.Setenv("RESNET_SECRET", "s3cr3t-value")
	folder := filepath.Join(t.TempDir(), "peculiar-run-name")
	s := openOS(t, folder)
	save(t, s, snapshot(1))
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(folder, "checkpoints", "*"))
	if err != nil || len(files) != 3 {
		t.Fatalf("%v (%v)", files, err)
	}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"s3cr3t-value", "peculiar-run-name", host, os.TempDir()} {
			if bytes.Contains(data, []byte(secret)) {
				t.Errorf("%s holds %q", path, secret)
			}
		}
	}
}

func TestOpenModelTakesARunACheckpointOrAnyFile(t *testing.T) {
	folder := t.TempDir()
	s := openOS(t, folder)
	save(t, s, withError(1, 5), withError(2, 9))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	value := func(path string) (float32, *Manifest) {
		t.Helper()
		f, m, err := OpenModel(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		v, err := f.Float32("fc.weight")
		if err != nil {
			t.Fatal(err)
		}
		return v[0], m
	}
	second := filepath.Join(folder, "checkpoints", "step-000002.safetensors")
	if v, m := value(folder); v != 1 || m == nil || m.Step != 1 {
		t.Errorf("a run folder gave %v, want its best", v)
	}
	if v, m := value(second); v != 2 || m == nil || m.Step != 2 {
		t.Errorf("a checkpoint's file gave %v %v", v, m)
	}
	data, err := os.ReadFile(second)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"copy.safetensors", "step-000002.safetensors"} {
		other := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(other, data, 0o644); err != nil {
			t.Fatal(err)
		}
		if v, m := value(other); v != 2 || m != nil {
			t.Errorf("%s by itself gave %v %v", name, v, m)
		}
	}
	data[len(data)-1] ^= 1
	if err := os.WriteFile(second, data, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := OpenModel(second); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a damaged checkpoint: %v", err)
	}
	if _, _, err := OpenModel(filepath.Join(folder, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing there: %v", err)
	}
	if _, _, err := OpenModel(t.TempDir()); !errors.Is(err, ErrNotFound) {
		t.Errorf("a folder without checkpoints: %v", err)
	}
	if err := os.WriteFile(second, []byte("not safetensors"), 0o644); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "x.safetensors")
	if err := os.WriteFile(other, []byte("not safetensors"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := OpenModel(other); !errors.Is(err, weights.ErrFormat) {
		t.Errorf("garbage: %v", err)
	}
}

// TestTheRecordsAreReplacedWholeOrNotAtAll fails and kills every operation of writing them.
func TestTheRecordsAreReplacedWholeOrNotAtAll(t *testing.T) {
	for name, write := range map[string]func(fsys atomicfile.FS, run string, version int) error{
		ConfigFile: func(fsys atomicfile.FS, run string, version int) error {
			return WriteConfig(fsys, run, fmt.Appendf(nil, "train: {seed: %d}\n", version))
		},
		"env.json": func(fsys atomicfile.FS, run string, version int) error {
			return WriteEnv(fsys, run, Env{Seed: uint64(version)})
		},
	} {
		t.Run(name, func(t *testing.T) { atomicfiletest.Run(t, atomicfiletest.Writer{Files: []string{name}, Write: write}) })
	}
	t.Run("metrics.csv", func(t *testing.T) {
		atomicfiletest.Run(t, atomicfiletest.Writer{
			Files: []string{"metrics.csv"}, Old: true,
			Write: func(fsys atomicfile.FS, run string, version int) error {
				path := filepath.Join(run, "metrics.csv")
				if version == 1 {
					return atomicfile.WriteFile(fsys, path, Kind, []byte("step,epoch,loss\n1,0,1\n2,0,0.5\n"))
				}
				return TruncateCSV(fsys, path, columns, 1)
			},
		})
	})
}

func TestEnvIsWrittenWithoutTheEnvironment(t *testing.T) {
	t.Setenv("RESNET_SECRET", "s3cr3t-value")
	folder := t.TempDir()
	want := Env{Version: "v0.1.0", Seed: 1<<64 - 1, Command: []string{"resnet", "train"}, Samples: map[string]int{"train": 4500, "val": 500, "test": 1000}}
	if err := WriteEnv(atomicfile.OS, folder, want); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadEnv(folder); err != nil || got.Seed != want.Seed || !maps.Equal(got.Samples, want.Samples) {
		t.Errorf("read %+v (%v), want %+v", got, err, want)
	}
	data, err := os.ReadFile(filepath.Join(folder, "env.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"version": "v0.1.0"`, `"seed": 18446744073709551615`, `"go": "go1`, `"train"`} {
		if !strings.Contains(string(data), want) {
			t.Errorf("%s lacks %s", data, want)
		}
	}
	if strings.Contains(string(data), "s3cr3t") {
		t.Errorf("%s", data)
	}
}

func TestAnEnvThatIsNotThereOrDoesNotParseIsAnError(t *testing.T) {
	folder := t.TempDir()
	if _, err := ReadEnv(folder); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("none: %v, want fs.ErrNotExist", err)
	}
	if err := os.WriteFile(filepath.Join(folder, "env.json"), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadEnv(folder); err == nil || !strings.Contains(err.Error(), "env.json") {
		t.Errorf("half of one: %v, want an error that names it", err)
	}
}

func TestOpenNamesTheFolderThatCannotBeMade(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(filepath.Join(file, "run"), Options{Producer: "x"}); !errors.Is(err, ErrIO) || !strings.Contains(err.Error(), file) {
		t.Errorf("error %v", err)
	}
}
