package checkpoint

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"runtime"

	"resnet/internal/atomicfile"
	"resnet/internal/input"
)

// Env is env.json: where and how a run was made. None of it is in the checkpoints, which depend on
// seed, configuration and data alone. It holds no environment variables: they may be secrets.
type Env struct {
	Version string            `json:"version"` // of resnet
	Go      string            `json:"go"`
	OS      string            `json:"os"`
	Arch    string            `json:"arch"`
	CPU     string            `json:"cpu"`
	Cores   int               `json:"cores"`
	Threads int               `json:"threads"`
	Kernels map[string]string `json:"kernels"` // operation: the kernel chosen
	// Precision is train.precision. Older files do not have it: theirs is float32.
	Precision string   `json:"precision,omitempty"`
	Seed      uint64   `json:"seed"`
	Command   []string `json:"command"`
	// Samples are the images or utterances of each split: train, val, test. Older files do not
	// have it.
	Samples map[string]int `json:"samples,omitempty"`
	// Data is the data set, and says where its files are not the published ones: see
	// datasets.Dataset.Identity. Older files do not have it.
	Data string `json:"data,omitempty"`
}

// WriteEnv writes env.json into a run folder; Go, OS, Arch and Cores are filled in.
func WriteEnv(fsys atomicfile.FS, run string, e Env) error {
	e.Go, e.OS, e.Arch, e.Cores = runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU()
	data, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.WriteFile(fsys, filepath.Join(run, "env.json"), Kind, append(data, '\n'))
}

// ConfigFile is the name of a run's merged configuration.
const ConfigFile = "config.yaml"

// WriteConfig writes a run folder's configuration, which is YAML.
func WriteConfig(fsys atomicfile.FS, run string, data []byte) error {
	return atomicfile.WriteFile(fsys, filepath.Join(run, ConfigFile), Kind, data)
}

// maxEnv is far above the size of env.json, in bytes.
const maxEnv = 1 << 20

// ReadEnv reads env.json of a run folder. It fails with fs.ErrNotExist where there is none.
func ReadEnv(run string) (Env, error) {
	var e Env
	path := filepath.Join(run, "env.json")
	text, err := input.Read(path, maxEnv)
	if err != nil {
		return e, err
	}
	if err := json.Unmarshal(text, &e); err != nil {
		return Env{}, fmt.Errorf("%s: %w", path, err)
	}
	return e, nil
}
