package train

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"

	"resnet/internal/train/collective"
)

// Ranks is a loop's place among the processes that share a training. The zero value is a training
// of one process. Every rank has the same Options but for Dir, Hooks and Store, which are those of
// rank 0 alone, and all come to the same values: each applies every update itself.
type Ranks struct {
	Group collective.Group // nil means a group of one
	Host  string           // for messages
	Wire  collective.Wire
	// Bucket is how many values are added together at most (see collective.Bucket); 0 means all.
	Bucket int
	// Code is the exit status of an error: ranks that hear of one end with it. It may be nil.
	Code func(error) int
}

// Size is the number of ranks.
func (r Ranks) Size() int {
	if r.Group == nil {
		return 1
	}
	return r.Group.Size()
}

// Rank is the place of this one.
func (r Ranks) Rank() int {
	if r.Group == nil {
		return 0
	}
	return r.Group.Rank()
}

// Agree makes an error of one rank that of all.
func (r Ranks) Agree(err error) error {
	if r.Size() == 1 {
		return err
	}
	at := collective.Place{Rank: r.Rank(), Size: r.Size(), Host: r.Host}
	return collective.Agree(r.Group, at, r.Code, err)
}

// The bits of a report's first byte: what a rank asks for, so that all act on it at the same
// boundary, and whether it met an error.
const (
	wantsStop = 1 << iota
	wantsSave
	wantsTime
	metFault
)

// addRanks makes the gradients of this rank's share those of the whole update, and gathers what
// else the micro-batches have given. err is what this rank met on the way, which all ranks then
// return.
func (l *loop) addRanks(err error) error {
	start := l.meter.now()
	defer func() { l.meter.ranks += l.meter.now().Sub(start) }()
	if failed := l.sums.finish(); failed != nil {
		return failed
	}
	return l.report(err, l.parts)
}

// report gathers the requests of all ranks and, of parts, those that each has computed: a rank has
// filled an even share, in its place. An error of any rank is that of all.
func (l *loop) report(err error, parts []microBatch) error {
	if l.o.Ranks.Size() == 1 {
		return err
	}
	g := l.o.Ranks.Group
	share := len(parts) / g.Size()
	var flags byte
	if l.o.Control.stopping() {
		flags |= wantsStop
	}
	if l.o.Control.takeSave(&l.asked) {
		flags |= wantsSave
	}
	if l.timeIsOver() {
		flags |= wantsTime
	}
	if err != nil {
		flags |= metFault
	}
	send := []byte{flags}
	for _, p := range parts[g.Rank()*share : (g.Rank()+1)*share] {
		send = p.append(send)
	}
	all := make([]byte, g.Size()*len(send))
	if failed := g.AllGather(send, all); failed != nil {
		return failed
	}
	l.agreed &= wantsSave // until it is obeyed
	for rank := range g.Size() {
		from := all[rank*len(send) : (rank+1)*len(send)]
		l.agreed |= from[0]
		from = from[1:]
		for i := range share {
			from = parts[rank*share+i].take(from)
		}
	}
	if l.agreed&metFault != 0 {
		return l.agreeFault(err)
	}
	return nil
}

// agreeFault is an update's error on all ranks. What is wrong with a rank comes before a loss that
// is not finite, and that before a wait that was given up; of several the first micro-batch's.
func (l *loop) agreeFault(err error) error {
	var nf *NonFiniteError
	isNonFinite := errors.As(err, &nf)
	var other error
	if !isNonFinite && !errors.Is(err, errInterrupted) {
		other = err
	}
	if e := l.o.Ranks.Agree(other); e != nil {
		return e
	}
	var own []byte
	if isNonFinite {
		own, _ = json.Marshal(nf) // of strings and numbers
	}
	all, failed := collective.Gather(l.o.Ranks.Group, own)
	if failed != nil {
		return failed
	}
	for _, b := range all {
		e := &NonFiniteError{}
		if len(b) > 0 && json.Unmarshal(b, e) == nil {
			return e
		}
	}
	return errInterrupted
}

// append encodes what an update keeps of a micro-batch, and take decodes it and returns the rest.
func (m *microBatch) append(b []byte) []byte {
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(m.sums.Loss))
	for _, n := range []int{m.sums.Batches, m.sums.Wrong, m.sums.Images, m.sums.Weight} {
		b = binary.LittleEndian.AppendUint64(b, uint64(n))
	}
	for _, x := range m.stats {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

func (m *microBatch) take(b []byte) []byte {
	m.sums.Loss = math.Float64frombits(binary.LittleEndian.Uint64(b))
	b = b[8:]
	for _, n := range []*int{&m.sums.Batches, &m.sums.Wrong, &m.sums.Images, &m.sums.Weight} {
		*n = int(binary.LittleEndian.Uint64(b))
		b = b[8:]
	}
	for i := range m.stats {
		m.stats[i] = math.Float32frombits(binary.LittleEndian.Uint32(b))
		b = b[4:]
	}
	return b
}

// stopping, wantsSaving and overTime are what was asked for, of all ranks at the last report.
func (l *loop) stopping() bool {
	if l.o.Ranks.Size() > 1 {
		return l.agreed&wantsStop != 0
	}
	return l.o.Control.stopping()
}

func (l *loop) wantsSaving() bool {
	if l.o.Ranks.Size() > 1 {
		asked := l.agreed&wantsSave != 0
		l.agreed &^= wantsSave
		return asked
	}
	return l.o.Control.takeSave(&l.asked)
}

func (l *loop) overTime() bool {
	if l.o.Ranks.Size() > 1 {
		return l.agreed&wantsTime != 0
	}
	return l.timeIsOver()
}

// timeIsOver reports whether this rank has trained for as long as it may.
func (l *loop) timeIsOver() bool { return l.o.MaxTime > 0 && l.meter.elapsed() >= l.o.MaxTime }

// store saves a checkpoint on rank 0. All ranks go on when it is safe, or with its error.
func (l *loop) store(s Snapshot) error {
	var err error
	if l.o.Ranks.Rank() == 0 {
		err = l.o.Store.Save(s)
	}
	return l.o.Ranks.Agree(err)
}
