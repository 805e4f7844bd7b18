package collective

import "sync"

// local is a rank of a group of goroutines.
type local struct {
	rank int
	*meeting
}

// meeting is what the goroutines of a group share.
type meeting struct {
	mu      sync.Mutex
	changed sync.Cond
	given   [][]byte // by rank
	arrived int
	round   int
	aborted bool
}

// NewLocal returns the ranks of a group of n goroutines.
func NewLocal(n int) []Group {
	m := &meeting{given: make([][]byte, n)}
	m.changed.L = &m.mu
	ranks := make([]Group, n)
	for i := range ranks {
		ranks[i] = &local{i, m}
	}
	return ranks
}

func (l *local) Rank() int { return l.rank }
func (l *local) Size() int { return len(l.given) }

// Barrier implements Group.
func (l *local) Barrier() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	round := l.round
	if l.arrived++; l.arrived == len(l.given) {
		l.arrived = 0
		l.round++
		l.changed.Broadcast()
	}
	for l.round == round && !l.aborted {
		l.changed.Wait()
	}
	if l.round == round { // and not complete
		return ErrAborted
	}
	return nil
}

// exchange calls take with what each rank gives, which is not changed meanwhile.
func (l *local) exchange(give []byte, take func(given [][]byte)) error {
	l.mu.Lock()
	l.given[l.rank] = give
	l.mu.Unlock()
	if err := l.Barrier(); err != nil {
		return err
	}
	take(l.given)
	return l.Barrier()
}

func (l *local) AllToAll(send, recv []byte) error {
	per := len(recv) / l.Size()
	return l.exchange(send, func(given [][]byte) {
		for k, from := range given {
			copy(recv[k*per:(k+1)*per], from[l.rank*per:])
		}
	})
}

func (l *local) AllGather(send, recv []byte) error {
	return l.exchange(send, func(given [][]byte) {
		for k, from := range given {
			copy(recv[k*len(send):], from)
		}
	})
}

func (l *local) Broadcast(b []byte) error {
	return l.exchange(b, func(given [][]byte) {
		if l.rank != 0 {
			copy(b, given[0])
		}
	})
}

func (l *local) Abort(int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.aborted = true
	l.changed.Broadcast()
}
