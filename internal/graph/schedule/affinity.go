package schedule

// A binding keeps the calling goroutine's thread on some processors until it is loosed. The zero
// value has bound nothing. It is for speed alone: where the system refuses, the thread stays free.
type binding struct {
	bound bool
	old   processors
}
