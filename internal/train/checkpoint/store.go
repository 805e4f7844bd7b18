package checkpoint

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"resnet/internal/atomicfile"
	"resnet/internal/folderlock"
	"resnet/internal/input"
)

// Options of a Store.
type Options struct {
	Keep     int           // newest checkpoints to keep besides the best; 0 means all
	Producer string        // stands in manifests: "resnet v0.1.0"
	FS       atomicfile.FS // nil means atomicfile.OS
}

// Store holds the checkpoints of one run folder. It is used by one goroutine at a time.
type Store struct {
	// Notes says what Open did besides opening: a lock taken over, leftovers removed. For the log.
	Notes []string

	run  string
	dir  string // run/checkpoints
	fs   atomicfile.FS
	opts Options
	lock *folderlock.Lock // nil for a Store that only reads
}

// Open makes the run folder where it is not there, locks it against other trainings, and removes
// what an interrupted save left. It fails with ErrLocked when another process has the folder.
func Open(run string, o Options) (*Store, error) {
	if o.Producer == "" {
		return nil, errors.New("checkpoint: no producer")
	}
	s := View(run, o.FS)
	s.opts = o
	var err error
	for range 10 { // a process that has failed at its start may remove the empty folder meanwhile
		if err = s.fs.MkdirAll(run, atomicfile.DirPerm); err != nil {
			return nil, atomicfile.Error(fmt.Errorf("make run folder: %w", err))
		}
		if s.lock, err = AcquireLock(run); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	if s.lock.TakenFrom != "" {
		s.Notes = append(s.Notes, "took over the lock of "+s.lock.TakenFrom+", which has ended")
	}
	if err := s.prepare(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// AcquireLock locks a run folder, which is there, against other trainings. It fails with a
// *folderlock.LockedError at once when another process, or another lock of this one, has it.
func AcquireLock(run string) (*folderlock.Lock, error) {
	return folderlock.Acquire(filepath.Join(run, "lock"), "training in this run folder")
}

// View opens a run folder for reading only: it neither locks nor removes anything, and Save fails.
// A nil fsys means atomicfile.OS.
func View(run string, fsys atomicfile.FS) *Store {
	if fsys == nil {
		fsys = atomicfile.OS
	}
	return &Store{run: run, dir: filepath.Join(run, "checkpoints"), fs: fsys}
}

// Close releases the lock.
func (s *Store) Close() error {
	if s.lock == nil {
		return nil
	}
	err := s.lock.Release()
	s.lock = nil
	return err
}

// prepare makes the folder of checkpoints and sweeps.
func (s *Store) prepare() error {
	if err := s.fs.MkdirAll(s.dir, atomicfile.DirPerm); err != nil {
		return atomicfile.Error(fmt.Errorf("make folder of checkpoints: %w", err))
	}
	if err := s.fs.SyncDir(s.run); err != nil {
		return atomicfile.Error(fmt.Errorf("sync %s: %w", s.run, err))
	}
	// Whoever made the run's folder may not have synced its name. A folder above that may not be
	// read cannot be synced.
	if err := s.fs.SyncDir(filepath.Dir(s.run)); err != nil && !errors.Is(err, fs.ErrPermission) {
		return atomicfile.Error(fmt.Errorf("sync %s: %w", filepath.Dir(s.run), err))
	}
	removed, err := s.sweep()
	if err != nil {
		return err
	}
	names, err := s.fs.ReadDir(s.run)
	if err != nil {
		return atomicfile.Error(err)
	}
	for _, name := range names {
		if isTemp(name) {
			if err := s.fs.Remove(filepath.Join(s.run, name)); err != nil {
				return atomicfile.Error(err)
			}
			removed = append(removed, name)
		}
	}
	if len(removed) > 0 {
		s.Notes = append(s.Notes, "removed what an interrupted save left: "+strings.Join(removed, ", "))
	}
	return nil
}

// entry is a manifest in the folder, good or bad.
type entry struct {
	Manifest
	path string
	// Why it is not a complete checkpoint; Step is then the file name's when the manifest is
	// unreadable.
	err error
}

// scan returns the manifests by ascending step, and every name in the folder.
func (s *Store) scan() ([]entry, []string, error) {
	names, err := s.fs.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, atomicfile.Error(err)
	}
	var list []entry
	for _, name := range names {
		step, ok := stepOf(name)
		if !ok {
			continue
		}
		e := entry{path: filepath.Join(s.dir, name)}
		if e.Manifest, e.err = readManifest(s.fs, e.path); e.err != nil {
			e.Manifest = Manifest{Step: step}
		} else {
			e.err = s.checkSizes(e.Manifest)
		}
		list = append(list, e)
	}
	slices.SortStableFunc(list, func(a, b entry) int { return cmp.Compare(a.Step, b.Step) })
	return list, names, nil
}

// checkSizes requires both files of a checkpoint with their sizes.
func (s *Store) checkSizes(m Manifest) error {
	for _, p := range []Part{m.Model, m.State} {
		f, err := s.openPart(p)
		if err != nil {
			return err
		}
		f.Close()
	}
	return nil
}

// openPart opens a file of a checkpoint and checks its size.
func (s *Store) openPart(p Part) (atomicfile.ReadHandle, error) {
	path := filepath.Join(s.dir, p.File)
	f, err := s.fs.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, corruptf("%s: missing", path)
	}
	if errors.Is(err, input.ErrNotRegular) {
		return nil, corruptf("%w", err)
	}
	if err != nil {
		return nil, atomicfile.Error(err)
	}
	size, err := f.Size()
	if err != nil {
		err = atomicfile.Error(fmt.Errorf("%s: %w", path, err))
	} else if size != p.Bytes {
		err = corruptf("%s: %d bytes, its manifest says %d", path, size, p.Bytes)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// List returns the complete checkpoints by ascending step, and what is wrong with the others.
// Complete means that the manifest is sound and both files have their sizes; Load also compares the
// checksums.
func (s *Store) List() (list []Manifest, problems []error, err error) {
	entries, _, err := s.scan()
	for _, e := range entries {
		if e.err != nil {
			problems = append(problems, e.err)
			continue
		}
		list = append(list, e.Manifest)
	}
	return list, problems, err
}

// Latest is the complete checkpoint of the greatest step. It fails with ErrNotFound when there is
// none.
func (s *Store) Latest() (Manifest, error) {
	list, problems, err := s.List()
	if err != nil {
		return Manifest{}, err
	}
	if len(list) == 0 {
		return Manifest{}, s.none(problems)
	}
	return list[len(list)-1], nil
}

// Best is the complete checkpoint with the lowest validation error, the earliest of equals; when
// none has a validation error it is the latest. It fails with ErrNotFound when there is none.
func (s *Store) Best() (Manifest, error) {
	list, problems, err := s.List()
	if err != nil {
		return Manifest{}, err
	}
	if len(list) == 0 {
		return Manifest{}, s.none(problems)
	}
	return best(list), nil
}

// best chooses from a list that is not empty and in ascending order.
func best(list []Manifest) Manifest {
	chosen, lowest, found := list[len(list)-1], 0.0, false
	for _, m := range list {
		if v, ok := m.Metrics[MetricValidationError]; ok && (!found || v < lowest) {
			chosen, lowest, found = m, v, true
		}
	}
	return chosen
}

// none is ErrNotFound, with what is wrong with the checkpoints that cannot be used.
func (s *Store) none(problems []error) error {
	err := fmt.Errorf("%s: no complete checkpoint", s.dir)
	if len(problems) > 0 {
		err = fmt.Errorf("%w: %w", err, errors.Join(problems...))
	}
	return &classed{ErrNotFound, err}
}
