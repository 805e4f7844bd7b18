package input

import (
	"os"
	"time"
)

// State tells whether a file has changed: two equal states of one path are of one content. Where
// the system says when a file was last changed in any way, which no program can set back, that is
// part of it.
type State struct {
	Bytes int64  `json:"bytes"`
	MTime int64  `json:"mtime_ns"`           // of the contents
	CTime int64  `json:"ctime_ns,omitempty"` // of anything; 0 where the system does not say
	Inode uint64 `json:"inode,omitempty"`
}

// tick is above the steps in which systems count the times of files: within one, a file may change
// and keep them. Coarse file systems count whole seconds, by twos.
const (
	tick       = 50 * time.Millisecond
	coarseTick = 2100 * time.Millisecond
)

// StateOf is the state of an open file. It waits until the file's last change is a tick ago.
func StateOf(f *os.File) (State, error) {
	for {
		s, err := stateOf(f)
		if err != nil {
			return State{}, err
		}
		wait := time.Until(s.settles())
		// A file from the future keeps nobody waiting.
		if wait <= 0 || wait > coarseTick {
			return s, nil
		}
		time.Sleep(wait)
	}
}

// StateOfFile is StateOf of a path.
func StateOfFile(path string) (State, error) {
	f, err := Open(path)
	if err != nil {
		return State{}, err
	}
	defer f.Close()
	return StateOf(f)
}

func (s State) settles() time.Time {
	last, step := max(s.MTime, s.CTime), tick
	if s.MTime%int64(time.Second) == 0 && s.CTime%int64(time.Second) == 0 {
		step = coarseTick
	}
	return time.Unix(0, last).Add(step)
}
