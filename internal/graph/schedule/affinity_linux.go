package schedule

import (
	"runtime"

	"golang.org/x/sys/unix"
)

type processors = unix.CPUSet

// bind locks the calling goroutine to its thread and keeps that on the processors of these numbers.
// Without any it does nothing.
func bind(numbers []int) binding {
	if len(numbers) == 0 {
		return binding{}
	}
	runtime.LockOSThread()
	var old, set processors
	for _, n := range numbers {
		set.Set(n)
	}
	if unix.SchedGetaffinity(0, &old) != nil || unix.SchedSetaffinity(0, &set) != nil {
		runtime.UnlockOSThread()
		return binding{}
	}
	return binding{true, old}
}

// loose gives the thread back as it was. One that cannot be given back stays locked: it ends with
// its goroutine.
func (b binding) loose() {
	if !b.bound {
		return
	}
	old := b.old // so that b need not be on the heap
	if unix.SchedSetaffinity(0, &old) == nil {
		runtime.UnlockOSThread()
	}
}
