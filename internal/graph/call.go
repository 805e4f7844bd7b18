package graph

import "fmt"

// CheckTrain says whether Machine.Train may run: the mode is Train, x holds a full batch, each
// label is a class, and there are targets where the graph has them. It fails with ErrMode or
// ErrShape. Every Machine calls it before it changes anything.
func (g *Graph) CheckTrain(x []float32, labels []int32, o StepOptions) error {
	if g.Mode != Train {
		return fmt.Errorf("%s: training on an %v graph: %w", g.Name, g.Mode, ErrMode)
	}
	if len(x) != g.N*g.ImageLen() || len(labels) != g.LabelsLen() {
		return fmt.Errorf("%s: %d values and %d labels, want a full batch of %d images of %d and %d labels: %w",
			g.Name, len(x), len(labels), g.N, g.ImageLen(), g.LabelsLen(), ErrShape)
	}
	for i, label := range labels {
		if err := g.CheckLabel(i, label); err != nil {
			return err
		}
	}
	if err := g.checkTargets(o.Targets); err != nil {
		return err
	}
	return g.checkSequences()
}

// CheckInfer says whether Machine.Infer may run: the mode is Eval, 1 <= n <= N, and x holds n
// images, no more. It fails with ErrMode or ErrShape. Every Machine calls it.
func (g *Graph) CheckInfer(x []float32, n int) error {
	if g.Mode != Eval {
		return fmt.Errorf("%s: inference on a %v graph: %w", g.Name, g.Mode, ErrMode)
	}
	if n < 1 || n > g.N || len(x) != n*g.ImageLen() {
		return fmt.Errorf("%s: %d values for %d images of %d, at most %d: %w", g.Name, len(x), n, g.ImageLen(), g.N, ErrShape)
	}
	return g.checkSequences()
}

// checkSequences fails for lengths of utterances that the batch cannot have.
func (g *Graph) checkSequences() error {
	if g.Sequences == nil {
		return nil
	}
	if len(g.Sequences.Lengths) != g.N {
		return fmt.Errorf("%s: lengths of %d utterances for a batch of %d: %w", g.Name, len(g.Sequences.Lengths), g.N, ErrShape)
	}
	frames := g.Input.Shape()[3]
	for i, l := range g.Sequences.Lengths {
		if l < 1 || int(l) > frames {
			return fmt.Errorf("%s: utterance %d has %d frames, want 1 to %d: %w", g.Name, i, l, frames, ErrShape)
		}
	}
	return nil
}
