package configs

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"resnet/internal/input"
)

// MaxBytes is the largest configuration that is read: a hand-written experiment has a few
// kilobytes.
const MaxBytes = 256 << 10

// ErrNotFound says that there is neither a file nor a preset of that name.
var ErrNotFound = errors.New("no such file or preset")

// ErrTooLarge says that a file is larger than MaxBytes.
var ErrTooLarge = errors.New("file too large")

//go:embed *.yaml
var presets embed.FS

// A Source is an experiment as text, and where it came from.
type Source struct {
	// "cifar20" for a preset or a file of that name: what a run folder is called after.
	Name   string
	Path   string // what messages name: the path of the file, or "cifar20.yaml" for a preset
	Preset bool   // embedded in the binary
	Data   []byte // YAML
}

// Names returns the presets in alphabetical order, numbers by value (cifar20 before cifar110).
func Names() []string {
	entries, err := presets.ReadDir(".")
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	sort.Slice(names, func(i, j int) bool { return naturalLess(names[i], names[j]) })
	return names
}

// Summary returns the first comment of a preset, the line that says what it is, or "".
func Summary(name string) string {
	data, err := presets.ReadFile(name + ".yaml")
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(data), "\n")
	return strings.TrimSpace(strings.TrimPrefix(line, "#"))
}

// Find returns the experiment called name: the file at that path if there is one, else the
// preset, with or without ".yaml". It fails with ErrNotFound, with ErrTooLarge, or with the
// operating system's error.
func Find(name string) (Source, error) {
	base := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(name), ".yaml"), ".yml")
	data, err := readFile(name)
	switch {
	case err == nil:
		return Source{Name: base, Path: name, Data: data}, nil
	case !errors.Is(err, fs.ErrNotExist):
		return Source{}, err
	}
	// Only a bare name can be a preset: runs/x/cifar20.yaml that is missing is a missing file.
	if name == filepath.Base(name) {
		if data, err := presets.ReadFile(base + ".yaml"); err == nil {
			return Source{Name: base, Path: base + ".yaml", Preset: true, Data: data}, nil
		}
	}
	return Source{}, fmt.Errorf("%s: %w", name, ErrNotFound)
}

func readFile(path string) ([]byte, error) {
	if path == "" {
		return nil, fs.ErrNotExist
	}
	data, err := input.ReadStream(path, MaxBytes)
	if errors.Is(err, input.ErrNotRegular) {
		if info, e := os.Stat(path); e == nil && info.IsDir() {
			// A folder may carry a preset's name (runs called cifar20); it is no configuration.
			return nil, fmt.Errorf("%s: is a folder: %w", path, fs.ErrNotExist)
		}
	}
	if errors.Is(err, input.ErrTooLarge) {
		return nil, fmt.Errorf("%s: %w: more than %d bytes, and a configuration has a few thousand", path, ErrTooLarge, MaxBytes)
	}
	return data, err
}

// naturalLess compares names with their runs of digits taken as numbers.
func naturalLess(a, b string) bool {
	for a != "" && b != "" {
		da, db := digits(a), digits(b)
		if da > 0 && db > 0 {
			na, nb := strings.TrimLeft(a[:da], "0"), strings.TrimLeft(b[:db], "0")
			if len(na) != len(nb) {
				return len(na) < len(nb)
			}
			if na != nb {
				return na < nb
			}
			a, b = a[da:], b[db:]
			continue
		}
		if a[0] != b[0] {
			return a[0] < b[0]
		}
		a, b = a[1:], b[1:]
	}
	return len(a) < len(b)
}

func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}
