package schedule

import "resnet/internal/graph"

// step is one entry of the schedule.
type step struct {
	name string
	// shape and algorithm are those of a convolution.
	shape, algorithm string
	products         []Product
	reads            []*value // views where the rest of a value is not read or written
	writes           []*value
	needs            []any // maps and sums that another step's finish provides
	makes            []any
	// run does unit u: images [first, first+n). A whole step has one unit, of all images. Without
	// it there are inner units alone.
	run func(w *worker, u, first, n int)
	// finish runs after all units and inner units; its functions need nothing of each other. With
	// finishBeside they need nothing of the inner units either, and go with them.
	finish       []func()
	finishBeside bool
	whole        bool
	// spans overrides the machine's units.
	spans []span
	// images is how many images a step of a round takes; 0 is all of them.
	images int
	// weights is how many values of parameters and packs the step reads.
	weights int
	// inner is a region of its own after the units, for work that is split otherwise: units and
	// their function.
	inner    int
	runInner func(w *worker, u int)
	// rounds is how often all inner units run, one round after another, for so many images: for a
	// recurrence's frames. Machine.round is the one in hand. Without it there is one.
	rounds   func(images int) int
	backward bool // not run where only the forward half is wanted
	// grads are the parameters whose gradients are complete after the step.
	grads []*graph.Param
}

// need adds maps that must be known first.
func (s *step) need(maps ...*affine) {
	for _, a := range maps {
		if a != nil {
			s.needs = append(s.needs, a)
		}
	}
}

// writesGrad adds parameters to grads; those that are nil are not wanted.
func (s *step) writesGrad(params ...*graph.Param) {
	for _, p := range params {
		if p != nil {
			s.grads = append(s.grads, p)
		}
	}
}

// local reports whether a unit of the step depends on the same images of earlier steps only.
func (s *step) local() bool { return !s.whole && s.finish == nil && s.runInner == nil }
