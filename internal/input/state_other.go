//go:build !unix

package input

import "os"

func stateOf(f *os.File) (State, error) {
	info, err := f.Stat()
	if err != nil {
		return State{}, err
	}
	return State{Bytes: info.Size(), MTime: info.ModTime().UnixNano()}, nil
}
