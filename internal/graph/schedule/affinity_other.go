//go:build !linux

package schedule

type processors struct{}

// bind does nothing: threads are bound on Linux alone.
func bind([]int) binding { return binding{} }

func (b binding) loose() {}
