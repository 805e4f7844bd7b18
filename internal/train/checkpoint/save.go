package checkpoint

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"syscall"

	"resnet/internal/atomicfile"
	"resnet/internal/graph/weights"
)

// Snapshot is what a checkpoint holds. The two data files depend on the tensors and the metadata
// alone.
type Snapshot struct {
	Step         int64
	Epoch        int64
	Final        bool
	ConfigDigest string
	Metrics      map[string]float64 // finite; MetricValidationError chooses the best

	Model     []weights.Tensor
	ModelMeta map[string]string // weights.Meta.Encode()
	State     []weights.Tensor
	StateMeta map[string]string
}

// Saved is the outcome of a save.
type Saved struct {
	Manifest Manifest
	Removed  []int64 // steps of the checkpoints that retention removed
	// Warnings says what went wrong after the checkpoint was durable: an old one that could not be
	// removed.
	Warnings []string
}

// Save writes a checkpoint and then removes those beyond Options.Keep. When it returns without an
// error the checkpoint is on disk, durable; otherwise every earlier checkpoint is as it was. Its
// errors are ErrIO when the system refused. A checkpoint of the same step is replaced, and is there
// until the new one is.
func (s *Store) Save(snap Snapshot) (Saved, error) {
	m, err := s.write(snap)
	if errors.Is(err, ErrIO) {
		// Gives back the space of the failed save; what cannot be removed now is at the next Open.
		_, _ = s.sweep()
	}
	if err != nil {
		return Saved{}, fmt.Errorf("save checkpoint of step %d: %w", snap.Step, err)
	}
	saved := Saved{Manifest: m}
	if saved.Removed, err = s.prune(snap.Step); err != nil {
		saved.Warnings = append(saved.Warnings, fmt.Sprintf("remove old checkpoints: %v", err))
	}
	return saved, nil
}

// write makes the new checkpoint durable. Its operations are in the order that a crash between any
// two demands.
func (s *Store) write(snap Snapshot) (Manifest, error) {
	m := Manifest{
		Format: Format, Producer: s.opts.Producer, Step: snap.Step, Epoch: snap.Epoch, Final: snap.Final,
		ConfigDigest: snap.ConfigDigest, Metrics: snap.Metrics,
	}
	base := baseName(snap.Step)
	m.Model.File, m.State.File = base+".safetensors", base+".state.safetensors"
	if s.opts.Producer == "" {
		return m, fmt.Errorf("%s is open for reading only", s.dir)
	}
	if snap.Step < 0 || snap.Epoch < 0 {
		return m, fmt.Errorf("step %d of epoch %d", snap.Step, snap.Epoch)
	}
	// A metric that is not finite must not cost a written model.
	if _, err := m.encode(); err != nil {
		return m, err
	}
	need, err := s.sizes(snap, &m)
	if err != nil {
		return m, err
	}
	if free, known := s.fs.Free(s.dir); known && free < uint64(need) {
		return m, s.ioError(syscall.ENOSPC, need)
	}
	if err := s.writeParts(snap, &m); err != nil {
		return m, s.ioError(err, need)
	}
	data, err := m.encode()
	if err != nil {
		return m, err
	}
	if err := atomicfile.WriteFile(s.fs, filepath.Join(s.dir, base+".json"), Kind, data); err != nil {
		return m, s.ioError(err, need)
	}
	return m, nil
}

// sizes fills in the sizes of the data files and returns the bytes that the checkpoint needs.
func (s *Store) sizes(snap Snapshot, m *Manifest) (int64, error) {
	var err error
	if m.Model.Bytes, err = weights.EncodedSize(snap.Model, snap.ModelMeta); err != nil {
		return 0, err
	}
	if m.State.Bytes, err = weights.EncodedSize(snap.State, snap.StateMeta); err != nil {
		return 0, err
	}
	const manifest = 16 << 10 // with what the file system takes for three names
	return m.Model.Bytes + m.State.Bytes + manifest, nil
}

// ioError classes an error of the file system; a full disk is told with its figures.
func (s *Store) ioError(err error, need int64) error {
	if errors.Is(err, syscall.ENOSPC) {
		note := fmt.Sprintf("the checkpoint needs %d bytes", need)
		if free, known := s.fs.Free(s.dir); known {
			note += fmt.Sprintf(", %d are free", free)
		}
		err = fmt.Errorf("%s: %w (%s): make room or set train.checkpoint.keep lower", s.dir, err, note)
	}
	return atomicfile.Error(err)
}

// writeParts writes both data files, durable under their final names, and fills in names and
// checksums.
//
// A sound checkpoint of the same step stays whole until the new manifest replaces its own: the new
// files get other names, or, where the data is the same (training again from an earlier step,
// marking the last step as final), the old ones are kept.
func (s *Store) writeParts(snap Snapshot, m *Manifest) error {
	old, err := s.sound(m.Step)
	if err != nil {
		return err
	}
	if old != nil && m.Model.File == old.Model.File {
		base := baseName(m.Step) + "-2" // which the next save of this step leaves again
		m.Model.File, m.State.File = base+".safetensors", base+".state.safetensors"
	}
	parts := []struct {
		*Part
		tensors []weights.Tensor
		meta    map[string]string
	}{{&m.Model, snap.Model, snap.ModelMeta}, {&m.State, snap.State, snap.StateMeta}}
	files := make([]*atomicfile.File, len(parts))
	for i, p := range parts {
		f, err := atomicfile.Create(s.fs, filepath.Join(s.dir, p.File), Kind)
		if err != nil {
			return err
		}
		defer f.Discard()
		sum := sha256.New()
		if err := weights.Write(io.MultiWriter(f, sum), p.tensors, p.meta); err != nil {
			return fmt.Errorf("write %s: %w", filepath.Join(s.dir, p.File), err)
		}
		if err := f.Finish(); err != nil {
			return err
		}
		files[i], p.SHA256 = f, hex.EncodeToString(sum.Sum(nil))
	}
	if old != nil && old.Model.SHA256 == m.Model.SHA256 && old.State.SHA256 == m.State.SHA256 {
		m.Model, m.State = old.Model, old.State
		return nil
	}
	for _, f := range files {
		if err := f.Commit(); err != nil {
			return err
		}
	}
	return nil
}

// sound is the manifest of a step's checkpoint if all of that is as it was written, otherwise nil.
// It fails with ErrVersion for a checkpoint of a newer program.
func (s *Store) sound(step int64) (*Manifest, error) {
	m, err := readManifest(s.fs, filepath.Join(s.dir, baseName(step)+".json"))
	if errors.Is(err, ErrVersion) {
		return nil, err
	}
	if err != nil || s.verify(m) != nil {
		return nil, nil
	}
	return &m, nil
}
