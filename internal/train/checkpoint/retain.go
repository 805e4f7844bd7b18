package checkpoint

import (
	"errors"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"resnet/internal/atomicfile"
)

// prune removes the checkpoints beyond Options.Keep, but never the one just saved nor the best. A
// manifest goes first and durably, then its files: in between they are an incomplete checkpoint,
// which is ignored.
func (s *Store) prune(saved int64) (removed []int64, err error) {
	entries, _, err := s.scan()
	if err != nil {
		return nil, err
	}
	var list []Manifest
	var paths []string
	for _, e := range entries {
		if e.err == nil {
			list, paths = append(list, e.Manifest), append(paths, e.path)
		}
	}
	if s.opts.Keep > 0 && len(list) > s.opts.Keep {
		kept := best(list).Step
		for i, m := range list[:len(list)-s.opts.Keep] {
			if m.Step == kept || m.Step == saved {
				continue
			}
			if e := s.fs.Remove(paths[i]); e != nil {
				err = errors.Join(err, e)
				continue
			}
			removed = append(removed, m.Step)
		}
	}
	if len(removed) > 0 {
		if e := s.fs.SyncDir(s.dir); e != nil {
			return removed, errors.Join(err, e)
		}
	}
	_, e := s.sweep()
	return removed, errors.Join(err, e)
}

// Kind is what the temporary names of a run folder's files say; they go when a training begins or
// resumes there, which then has the folder's lock.
const Kind = "run"

// formerTemp matches the temporary names that former versions gave to these files. Those of reports
// and predictions began with ".tmp-" as well.
var formerTemp = regexp.MustCompile(`^\.tmp-(step-\d{6}.*|metrics\.csv|timing\.csv|env\.json|config\.yaml|events\.out\.tfevents\.resnet)$`)

func isTemp(name string) bool { return atomicfile.IsTemp(name, Kind) || formerTemp.MatchString(name) }

// sweep removes what no checkpoint needs: temporary files, manifests whose weights are not there,
// and data files that no manifest names. It keeps the files of a manifest that cannot be read: one
// damaged byte there must not cost the weights.
func (s *Store) sweep() (removed []string, err error) {
	entries, names, err := s.scan()
	if err != nil {
		return nil, err
	}
	needed := map[string]bool{}
	for _, e := range entries {
		base := strings.TrimSuffix(filepath.Base(e.path), ".json")
		switch {
		case e.Model.File == "": // unreadable
			needed[base] = true
		case slices.Contains(names, e.Model.File):
			needed[e.Model.File], needed[e.State.File] = true, true
		default:
			needed[base+".json"] = false
		}
	}
	for _, name := range names {
		surplus := isTemp(name)
		if match := dataName.FindStringSubmatch(name); match != nil {
			surplus = !needed[name] && !needed[match[1]]
		} else if n, ok := needed[name]; ok {
			surplus = !n
		}
		if !surplus {
			continue
		}
		if e := s.fs.Remove(filepath.Join(s.dir, name)); e != nil {
			err = errors.Join(err, atomicfile.Error(e))
			continue
		}
		removed = append(removed, name)
	}
	return removed, err
}
