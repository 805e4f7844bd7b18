package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"resnet/internal/train/checkpoint"
)

// configFile is where a run folder keeps its merged configuration.
const configFile = "config.yaml"

// newRunDir makes the folder of a new run: dir, which must not hold a run yet, or the first free
// runs/NAME-k.
func newRunDir(dir, name string) (string, error) {
	if dir != "" {
		if holdsRun(dir) {
			return "", usageErrorf("%s holds a run already: `resnet train --resume %s` continues it, and another --run starts a new one", dir, shellQuote(dir))
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", &ioError{err}
		}
		return dir, nil
	}
	if err := os.MkdirAll("runs", 0o755); err != nil {
		return "", &ioError{err}
	}
	for k := 1; ; k++ {
		dir := filepath.Join("runs", fmt.Sprintf("%s-%d", name, k))
		err := os.Mkdir(dir, 0o755) // fails on a folder that another process has just made
		if err == nil {
			return dir, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", &ioError{err}
		}
	}
}

// removeUnused removes the folder of a new run in which nothing was written, so that a mistake
// leaves nothing behind. Folders that hold anything stay: os.Remove fails on them.
func removeUnused(dir string) {
	if _, err := os.Stat(filepath.Join(dir, configFile)); err != nil {
		_ = os.Remove(filepath.Join(dir, "checkpoints"))
		_ = os.Remove(dir)
	}
}

// holdsRun reports whether a folder has a run's configuration or checkpoints.
func holdsRun(dir string) bool {
	for _, name := range []string{configFile, "checkpoints"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return true
		}
	}
	return false
}

// loadRun reads the configuration of a run folder, with overrides over it.
func (a *app) loadRun(dir string, sets []string, withEnv bool) (*loaded, error) {
	path := filepath.Join(dir, configFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, &missingError{fmt.Errorf("%s: no run folder: %s is not there", dir, configFile)}
	}
	in := configInput{file: path, sets: sets}
	if withEnv {
		in.env = a.env
	}
	return loadConfig(in)
}

// writeRecords writes config.yaml and env.json.
func (a *app) writeRecords(dir string, j *job) error {
	if err := checkpoint.WriteFileAtomic(checkpoint.OS, filepath.Join(dir, configFile), encodeConfig(&j.Config, nil), 0o644); err != nil {
		return err
	}
	return checkpoint.WriteEnv(checkpoint.OS, dir, checkpoint.Env{
		Version: readVersion().Version, CPU: readSystem().CPU, Threads: j.threads, Seed: j.Train.Seed, Command: os.Args,
		Kernels: map[string]string{"all": kernelsInUse()}, Samples: j.samples(),
	})
}

// shellQuote makes a path fit for pasting into a shell.
func shellQuote(s string) string {
	plain := s != ""
	for _, r := range s {
		plain = plain && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '/' || r == '.' || r == '-' || r == '_' || r == '\\' || r == ':')
	}
	if plain {
		return s
	}
	quoted := "'"
	for _, r := range s {
		if r == '\'' {
			quoted += `'\''`
			continue
		}
		quoted += string(r)
	}
	return quoted + "'"
}
