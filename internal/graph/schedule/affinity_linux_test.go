package schedule

import (
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"resnet/internal/graph"
)

// TestThreadsStayOnTheirProcessors while a machine runs, all of them, and the caller's thread is
// given back.
func TestThreadsStayOnTheirProcessors(t *testing.T) {
	var all unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		t.Skip(err)
	}
	one := 1023 // the last one, which nothing chooses by itself
	for !all.IsSet(one) {
		one--
	}
	g, err := buildWide(graph.NewParamSet(1))
	if err != nil {
		t.Fatal(err)
	}
	m, err := Compile(g, Options{Threads: 3, Processors: []int{one}})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	var mutex sync.Mutex
	seen := map[int]unix.CPUSet{}
	do := m.do
	m.do = func(worker, u int) {
		var set unix.CPUSet
		if err := unix.SchedGetaffinity(0, &set); err != nil {
			t.Error(err)
		}
		mutex.Lock()
		seen[worker] = set
		mutex.Unlock()
		do(worker, u)
	}
	x, labels := make([]float32, g.N*g.ImageLen()), make([]int32, g.N)
	for range 100 {
		if _, err := m.Train(x, labels, graph.StepOptions{}); err != nil {
			t.Fatal(err)
		}
		if len(seen) == 3 {
			break
		}
	}
	if len(seen) < 2 {
		t.Errorf("%d workers had units", len(seen))
	}
	for worker, set := range seen {
		if set.Count() != 1 || !set.IsSet(one) {
			t.Errorf("worker %d may run on %d processors", worker, set.Count())
		}
	}
	var after unix.CPUSet
	if err := unix.SchedGetaffinity(0, &after); err != nil || after != all {
		t.Errorf("the caller's thread has %d of %d processors, %v", after.Count(), all.Count(), err)
	}
}

// TestAThreadThatIsRefusedStaysFree: a processor that is not there.
func TestAThreadThatIsRefusedStaysFree(t *testing.T) {
	b := bind([]int{1023})
	if b.bound {
		b.loose()
		t.Skip("this machine has 1,024 processors")
	}
	b.loose()
	if b = bind(nil); b.bound {
		t.Error("no processors are bound to")
	}
}
