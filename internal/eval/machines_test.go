package eval

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"resnet/internal/blocks"
	"resnet/internal/datasets"
	"resnet/internal/graph"
)

// fakeArena grows as that of the schedule does.
type fakeArena struct{ bytes int64 }

func (a *fakeArena) Bytes() int64 { return a.bytes }

// fakeMachine has a size that follows from its graph; its arena is part of it.
type fakeMachine struct {
	graph.Machine
	own    int64
	arena  *fakeArena
	closed *[]int
	id     int
}

func (m fakeMachine) Bytes() int64 { return m.own + m.arena.bytes }
func (m fakeMachine) Close()       { *m.closed = append(*m.closed, m.id) }

// fakes makes machines that compute nothing: 1000 bytes each, and 100 bytes of the arena for each
// pixel or frame of the largest. made lists the graphs, closed the machines in the order in which
// they were closed.
func fakes(made *[]*graph.Graph, closed *[]int) Factory {
	return Factory{
		NewArena: func() Arena { return new(fakeArena) },
		Compile: func(g *graph.Graph, _ *graph.ParamSet, o MachineOptions) (graph.Machine, error) {
			arena := o.Arena.(*fakeArena)
			arena.bytes = max(arena.bytes, int64(100*g.N*g.ImageLen()))
			*made = append(*made, g)
			return fakeMachine{nil, 1000, arena, closed, len(*made) - 1}, nil
		},
	}
}

// TestAnExactMachineServesItsOwnNumberAlone: of one image the threads share the work.
func TestAnExactMachineServesItsOwnNumberAlone(t *testing.T) {
	m := tiny(t, "tiny-b", 2)
	for exact, want := range map[bool][]int{true: {8, 1, 4}, false: {8}} {
		var made []*graph.Graph
		var closed []int
		c := NewMachines(MachinesOptions{Spec: m.Spec, Params: m.Params, Factory: fakes(&made, &closed), Exact: exact})
		for _, n := range []int{8, 1, 8, 4, 1} {
			k, err := c.Get(Shape{Mode: graph.Eval, N: n, Height: 9, Width: 9})
			if err != nil || exact && k.Graph.N != n || k.Graph.N < n {
				t.Errorf("for %d images a machine of %d, %v", n, k.Graph.N, err)
			}
		}
		var sizes []int
		for _, g := range made {
			sizes = append(sizes, g.N)
		}
		if !slices.Equal(sizes, want) {
			t.Errorf("exact %v: machines of %v, want %v", exact, sizes, want)
		}
		c.Close()
	}
}

func TestMachinesAreKeptWithinTheLimit(t *testing.T) {
	m := tiny(t, "tiny-b", 2)
	var made []*graph.Graph
	var closed []int
	own := 1000 + 4*m.Params.Count()
	arena := int64(100 * 2 * 3 * 9 * 12) // of the largest, 9x12
	c := NewMachines(MachinesOptions{Spec: m.Spec, Params: m.Params, Factory: fakes(&made, &closed), Limit: arena + 3*own})
	get := func(form Form, w, n int) *Compiled {
		t.Helper()
		k, err := c.Get(Shape{Mode: graph.Eval, Form: form, N: n, Height: 9, Width: w})
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	for _, w := range []int{9, 10, 11, 9, 12} {
		get(Dense, w, 2)
	}
	if !slices.Equal(closed, []int{1}) || len(made) != 4 { // 10 was used longest ago
		t.Errorf("of %d machines these are closed: %v", len(made), closed)
	}
	if want := arena + 3*own; c.Bytes() != want {
		t.Errorf("%d bytes, want %d: the arena once, and three machines", c.Bytes(), want)
	}
	first := get(Dense, 9, 2)
	if get(Dense, 9, 1) != first || get(Dense, 11, 1).Shape.Width != 11 || len(made) != 4 {
		t.Error("a machine that was kept is made again, or is another's")
	}
	get(Dense, 10, 2)
	if len(made) != 5 || !slices.Equal(closed, []int{1, 3}) {
		t.Errorf("%d machines, closed %v: 10 was given up, and 12 has to go for it", len(made), closed)
	}
	if k := get(Dense, 10, 4); k.Graph.N != 4 || len(made) != 6 {
		t.Error("a batch of 4 ran on a machine for 2")
	}
	if k := get(Plain, 9, 2); len(made) != 7 || k.Shape.Form != Plain {
		t.Error("the fully convolutional form served for the plain one")
	}
	if _, err := c.Get(Shape{Mode: graph.Train, Form: Plain, N: 2, Height: 9, Width: 9}); err != nil || made[7].Mode != graph.Train {
		t.Errorf("a machine of evaluation served for training (%v)", err)
	}
	c.Close()
	c.Close()
	slices.Sort(closed)
	if !slices.Equal(closed, []int{0, 1, 2, 3, 4, 5, 6, 7}) {
		t.Errorf("closed in all: %v, want each of 8 once", closed)
	}
}

// speechModel is a small network of utterances.
func speechModel(t *testing.T) (blocks.Spec, *graph.ParamSet) {
	t.Helper()
	c := blocks.Config{Name: "wrbn", BatchNorm: true, Speech: blocks.SpeechConfig{StemWidth: 4, Widths: []int{4, 6}, Depths: []int{1, 1}, Units: 5, Dense: 7, Output: string(blocks.OutputFrame)}}
	spec, err := blocks.ResolveSequence(c, blocks.SequenceInfo{Dim: 24, Maps: 3, Classes: 4})
	if err != nil {
		t.Fatal(err)
	}
	return spec, graph.NewParamSet(3)
}

// TestFortyLengthsStayUnderTheLimit: recordings of 2 to 80 s come in any order; what is kept is at
// most the limit, or the arena and one machine.
func TestFortyLengthsStayUnderTheLimit(t *testing.T) {
	spec, params := speechModel(t)
	var made []*graph.Graph
	var closed []int
	frame := int64(100 * spec.Maps() * spec.Speech.Features)
	const longest = 8000
	limit := frame*longest + 20_000
	c := &Sequencer{Machines: NewMachines(MachinesOptions{Spec: spec, Params: params, Factory: fakes(&made, &closed), Frozen: true, Limit: limit}), Mode: graph.Eval}
	defer c.Close()
	for i := range 40 {
		frames := 200 + i*17%40*200
		b := &datasets.Batch{N: 1, Frames: RoundFrames(frames), Lengths: []int32{int32(frames)}}
		m, err := c.Of(b)
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Graph.Sequences.Lengths; len(got) != 1 || int(got[0]) != frames {
			t.Errorf("the machine knows the lengths %v, want %d", got, frames)
		}
		if c.Bytes() > limit || c.Last() != m {
			t.Errorf("%d frames: %d bytes, the limit is %d", frames, c.Bytes(), limit)
		}
	}
	if len(made) != 40 || len(closed) < 30 {
		t.Errorf("%d machines, %d of them closed", len(made), len(closed))
	}
}

func TestFramesAreRoundedUp(t *testing.T) {
	for frames, want := range map[int]int{1: 32, 32: 32, 33: 64, 7999: 8000} {
		if got := RoundFrames(frames); got != want {
			t.Errorf("%d frames become %d, want %d", frames, got, want)
		}
	}
}

func TestFixedShapesAreNeverGivenUp(t *testing.T) {
	spec, params := speechModel(t)
	var made []*graph.Graph
	var closed []int
	s := &Sequencer{Machines: NewMachines(MachinesOptions{Spec: spec, Params: params, Factory: fakes(&made, &closed), Limit: 1}), Mode: graph.Train}
	if err := s.Fix(s.Shape(3, 40), s.Shape(2, 80)); err != nil {
		t.Fatal(err)
	}
	if len(made) != 2 || len(closed) != 0 || made[0].N != 3 || made[0].Mode != graph.Train {
		t.Errorf("%d machines, %d closed", len(made), len(closed))
	}
	m, err := s.Of(&datasets.Batch{N: 2, Frames: 40, Lengths: []int32{40, 33}})
	if err != nil || !slices.Equal(m.Graph.Sequences.Lengths, []int32{40, 33, 1}) {
		t.Errorf("lengths %v, %v: the place behind the batch is one frame", m, err)
	}
	for _, b := range []*datasets.Batch{{N: 3, Frames: 80}, {N: 1, Frames: 41}} {
		if _, err := s.Of(b); err == nil || !strings.Contains(err.Error(), "there is no machine for the training of") {
			t.Errorf("%d utterances of %d frames: %v", b.N, b.Frames, err)
		}
	}
	s.Close()
	if len(closed) != 2 {
		t.Errorf("%d machines are closed at the end", len(closed))
	}
}

func TestOneOfSeveralCallersComputes(t *testing.T) {
	m := tiny(t, "tiny-b", 2)
	var made []*graph.Graph
	var closed []int
	c := NewMachines(MachinesOptions{Spec: m.Spec, Params: m.Params, Factory: fakes(&made, &closed)})
	defer c.Close()
	var inside, most atomic.Int32
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 20 {
				err := c.Run(Shape{Mode: graph.Eval, N: 1, Height: 9 + i%3, Width: 9}, func(k *Compiled) error {
					most.Store(max(most.Load(), inside.Add(1)))
					inside.Add(-1)
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if most.Load() != 1 || len(made) != 3 {
		t.Errorf("%d callers at once, %d machines", most.Load(), len(made))
	}
	bad := errors.New("bad")
	if err := c.Run(Shape{Mode: graph.Eval, N: 1, Height: 9, Width: 9}, func(*Compiled) error { return bad }); !errors.Is(err, bad) {
		t.Errorf("the error of the caller's function is lost: %v", err)
	}
}
