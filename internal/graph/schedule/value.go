package schedule

import "resnet/internal/graph/kernel"

const block = kernel.Lanes

func blocks(c int) int { return (c + block - 1) / block }

// value is a tensor with a place in the arena: per float32 values for each image, blocked or row-major.
type value struct {
	name   string
	per    int
	offset int
	// first and last are the positions of the steps that write it first and read it last.
	first, last int
	keep        bool // read by the caller after the run
	// own says that one unit alone uses it between two barriers: its place is in the worker's arena.
	own bool
}

// affine is a per-channel map that is known only after a step has run: y = s·x + t; in blocks of 16 channels.
type affine struct{ s, t []kernel.Vec }

func newAffine(c int) *affine {
	return &affine{s: make([]kernel.Vec, blocks(c)), t: make([]kernel.Vec, blocks(c))}
}

// recipe says how to get a tensor on reading it: max(0, a·x + b·r), where a and b are affine maps or nil for the identity.
type recipe struct {
	x, r *value
	a, b *affine
	relu bool
}

func (r recipe) plain() bool { return r.a == nil && r.r == nil && !r.relu }

// reads lists the values behind a recipe.
func (r recipe) reads() []*value {
	if r.r != nil {
		return []*value{r.x, r.r}
	}
	return []*value{r.x}
}

// tensor is what is known of a node: up to two representations of the same numbers.
type tensor struct {
	c, h, w int     // [N, C, H, W], or [N, C] with h = w = 1
	how     *recipe // blocked, possibly virtual
	plain   *value  // row-major
	norm    *norm   // of a BatchNorm's result, for the gate of the ReLU behind it
}

func (t *tensor) hw() int { return t.h * t.w }

func (t *tensor) blockedLen() int { return blocks(t.c) * t.hw() * block }
