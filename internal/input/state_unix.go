//go:build unix

package input

import (
	"os"

	"golang.org/x/sys/unix"
)

func stateOf(f *os.File) (State, error) {
	info, err := f.Stat()
	if err != nil {
		return State{}, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return State{}, &os.PathError{Op: "stat", Path: f.Name(), Err: err}
	}
	return State{Bytes: info.Size(), MTime: info.ModTime().UnixNano(), CTime: st.Ctim.Nano(), Inode: st.Ino}, nil
}
