package checkpoint

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"resnet/internal/atomicfile"
	"resnet/internal/graph/weights"
)

// OpenModel opens the weights that a user names: a run folder (its best checkpoint), a checkpoint's
// safetensors file, or any other safetensors file. Weights that a manifest vouches for are verified
// by it, and the manifest is returned. It fails with fs.ErrNotExist (no such file), ErrNotFound,
// ErrCorrupt, ErrVersion or weights.ErrFormat.
func OpenModel(path string) (*weights.File, *Manifest, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, err
	}
	if info.IsDir() {
		s := View(path, nil)
		m, err := s.Best()
		if err != nil {
			return nil, nil, err
		}
		w, err := s.loadPart(m.Model)
		return w, &m, err
	}
	dir, name := filepath.Split(path)
	match := dataName.FindStringSubmatch(name)
	if match == nil {
		w, err := weights.Open(path)
		return w, nil, err
	}
	m, err := readManifest(atomicfile.OS, filepath.Join(dir, match[1]+".json"))
	if errors.Is(err, fs.ErrNotExist) || err == nil && m.Model.File != name { // a copy by itself
		w, err := weights.Open(path)
		return w, nil, err
	}
	if err != nil {
		return nil, nil, err
	}
	s := &Store{dir: filepath.Clean(dir), fs: atomicfile.OS}
	w, err := s.loadPart(m.Model)
	return w, &m, err
}

// Metadata reads what the two files of a checkpoint say besides their tensors, without comparing
// their checksums.
func (s *Store) Metadata(m Manifest) (model, state map[string]string, err error) {
	var metas [2]map[string]string
	for i, p := range []Part{m.Model, m.State} {
		w, err := weights.Open(filepath.Join(s.dir, p.File))
		if err != nil {
			return nil, nil, err
		}
		metas[i] = w.Meta
		w.Close()
	}
	return metas[0], metas[1], nil
}
