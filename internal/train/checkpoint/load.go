package checkpoint

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"resnet/internal/atomicfile"
	"resnet/internal/graph/weights"
)

// Loaded is a checkpoint in memory, its sizes and checksums verified.
type Loaded struct {
	Manifest Manifest
	Model    *weights.File
	State    *weights.File
}

// Load reads the checkpoint of a step. It fails with ErrNotFound when there is none, and with
// ErrCorrupt, ErrVersion or ErrIO when it cannot be used.
func (s *Store) Load(step int64) (*Loaded, error) {
	entries, _, err := s.scan()
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.Step == step {
			return s.load(e)
		}
	}
	return nil, &classed{ErrNotFound, fmt.Errorf("%s: no checkpoint of step %d", s.dir, step)}
}

// LoadLatest reads the newest checkpoint that can be used; warnings name the newer ones that
// cannot, and why. It fails with ErrNotFound when the folder has none at all (training starts
// over), and it does not fall back from a newer format (ErrVersion) or a missing permission, which
// need a person, nor when every checkpoint is damaged.
func (s *Store) LoadLatest() (l *Loaded, warnings []string, err error) {
	entries, _, err := s.scan()
	if err != nil {
		return nil, nil, err
	}
	if len(entries) == 0 {
		return nil, nil, s.none(nil)
	}
	var problems []error
	for i := len(entries) - 1; i >= 0; i-- {
		l, err := s.load(entries[i])
		if err == nil {
			for _, p := range problems {
				warnings = append(warnings, fmt.Sprintf("%v; using step %d instead", p, l.Manifest.Step))
			}
			return l, warnings, nil
		}
		if errors.Is(err, ErrVersion) || errors.Is(err, fs.ErrPermission) {
			return nil, nil, err
		}
		problems = append(problems, err)
	}
	return nil, nil, &classed{ErrCorrupt, fmt.Errorf("%s: no checkpoint can be used: %w", s.dir, errors.Join(problems...))}
}

func (s *Store) load(e entry) (*Loaded, error) {
	if e.err != nil {
		return nil, e.err
	}
	l := &Loaded{Manifest: e.Manifest}
	var err error
	if l.Model, err = s.loadPart(e.Model); err != nil {
		return nil, err
	}
	l.State, err = s.loadPart(e.State)
	return l, err
}

// loadPart reads a data file into memory, so that what is used is what was verified.
func (s *Store) loadPart(p Part) (*weights.File, error) {
	f, err := s.openPart(p)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	path := filepath.Join(s.dir, p.File)
	data := make([]byte, p.Bytes) // the file has this size
	if _, err := io.ReadFull(f, data); err != nil {
		return nil, atomicfile.Error(fmt.Errorf("%s: %w", path, err))
	}
	sum := sha256.Sum256(data)
	if err := compareSum(path, sum[:], p); err != nil {
		return nil, err
	}
	w, err := weights.New(bytes.NewReader(data), p.Bytes, path)
	if err != nil {
		return nil, &classed{ErrCorrupt, err}
	}
	return w, nil
}

func compareSum(path string, sum []byte, p Part) error {
	if got := hex.EncodeToString(sum); got != p.SHA256 {
		return corruptf("%s: sha256 %s, its manifest says %s: damaged or replaced", path, got, p.SHA256)
	}
	return nil
}

// verify compares sizes and checksums without keeping the data.
func (s *Store) verify(m Manifest) error {
	for _, p := range []Part{m.Model, m.State} {
		f, err := s.openPart(p)
		if err != nil {
			return err
		}
		sum := sha256.New()
		_, err = io.Copy(sum, f)
		f.Close()
		if err != nil {
			return atomicfile.Error(err)
		}
		if err := compareSum(filepath.Join(s.dir, p.File), sum.Sum(nil), p); err != nil {
			return err
		}
	}
	return nil
}
