package atomicfile

import (
	"io"
	"os"
	"time"

	"golang.org/x/sys/windows"
)

// Claim does nothing: what is open cannot be removed here, and a second descriptor would keep the
// file from being renamed.
func (osFS) Claim(string) (io.Closer, error) { return noClaim{}, nil }

func (osFS) RemoveAbandoned(path string, o Owner) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode().IsRegular() && o.abandoned(false, time.Since(info.ModTime())) && os.Remove(path) == nil
}

// processRuns reports whether this machine has a process of this number.
func processRuns(pid int) bool {
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, uint32(pid))
	if err != nil {
		return false
	}
	defer windows.CloseHandle(h) //nolint:errcheck // it was read from alone
	var code uint32
	const stillActive = 259
	return windows.GetExitCodeProcess(h, &code) != nil || code == stillActive
}
