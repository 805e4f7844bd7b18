package report

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"resnet/internal/input"
)

// A Fact is a line of a table of names and values.
type Fact struct{ Name, Value string }

// A Run is what a run folder says about itself.
type Run struct {
	Name        string
	Config      string // config.yaml as it is; "" when there is none
	Environment []Fact // env.json, sorted by name; nil when there is none
	History     History
	Unit        string // what its data are counted in; "" means image
	Times       []Time // of timing.csv; nil where it is not there
}

// Counted is what the run's data are counted in: an image, an utterance.
func (r Run) Counted() string { return cmp.Or(r.Unit, "image") }

// A Time is how long a training has taken at an evaluation: a row of timing.csv.
type Time struct {
	Step    int
	Seconds float64 // since the start, those of earlier processes as well
	Speed   float64 // images or utterances a second since the row before
}

// ReadRun reads config.yaml, env.json and metrics.csv of a run folder. Only metrics.csv must be
// there; it fails with fs.ErrNotExist without it, and with ErrHistory when it does not parse. An
// env.json that does not parse is shown as it is.
func ReadRun(dir string) (Run, error) {
	h, err := ReadHistory(filepath.Join(dir, "metrics.csv"))
	if err != nil {
		return Run{}, err
	}
	r, err := ReadRecords(dir)
	r.History = h
	return r, err
}

// ReadRecords is ReadRun without metrics.csv.
func ReadRecords(dir string) (Run, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		abs = dir
	}
	r := Run{Name: filepath.Base(abs)}
	config, err := readSmall(filepath.Join(dir, "config.yaml"))
	if err != nil {
		return Run{}, err
	}
	r.Config = string(config)
	env, err := readSmall(filepath.Join(dir, "env.json"))
	if err != nil {
		return Run{}, err
	}
	r.Environment = facts(env)
	return r, nil
}

// Series are the run's curves.
func (r Run) Series() Series { return r.History.Series(r.Name) }

// smallFile is far above the size of what readSmall reads, in bytes.
const smallFile = 1 << 20

// readSmall reads a file, or nothing when it is not there.
func readSmall(path string) ([]byte, error) {
	f, err := input.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, smallFile+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(text) > smallFile {
		return nil, fmt.Errorf("%s: larger than %d bytes: not a file that a run leaves", path, smallFile)
	}
	return text, nil
}

// facts lists the members of a JSON object. Values that are lists or objects stay JSON, lists of
// words are joined.
func facts(text []byte) []Fact {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(text, &object); err != nil {
		return []Fact{{"env.json", string(text)}}
	}
	var list []Fact
	for name, raw := range object {
		value := string(raw)
		var s string
		var words []string
		if json.Unmarshal(raw, &s) == nil {
			value = s
		} else if json.Unmarshal(raw, &words) == nil {
			value = strings.Join(words, " ")
		} else if compact := new(bytes.Buffer); json.Compact(compact, raw) == nil {
			value = compact.String()
		}
		list = append(list, Fact{name, value})
	}
	slices.SortFunc(list, func(a, b Fact) int { return strings.Compare(a.Name, b.Name) })
	return list
}
