package schedule

import "resnet/internal/graph/kernel"

const block = kernel.Lanes

func blocks(c int) int { return (c + block - 1) / block }

// value is a tensor with a place in the arena: per values for each image, blocked or row-major.
// They are float32 in memory unless it is narrow.
type value struct {
	name   string
	per    int
	offset int
	// first and last are the positions of the steps that write it first and read it last.
	first, last int
	keep        bool // read by the caller after the run
	narrow      bool // bfloat16 in memory; see narrow.go
	// own says that one unit alone uses it between two barriers: its place is in the worker's
	// arena.
	own bool
	// parent is, of a view, the value that it is a part of: the values from at on of each image.
	parent *value
	at     int
}

// root is the value that has a place: v, or what it is a view of.
func (v *value) root() *value {
	if v.parent != nil {
		return v.parent
	}
	return v
}

// view is a part of each image of v.
func (v *value) view(at, per int) *value {
	if at == 0 && per == v.per {
		return v
	}
	return &value{name: "part of " + v.name, per: per, parent: v.root(), at: v.at + at, narrow: v.narrow}
}

// floats is how many float32 values have the memory of n of its values.
func (v *value) floats(n int) int {
	if v.narrow {
		return n / 2
	}
	return n
}

// affine is a per-channel map that is known only after a step has run: y = s·x + t; in blocks of 16
// channels.
type affine struct{ s, t []kernel.Vec }

func newAffine(c int) *affine {
	return &affine{s: make([]kernel.Vec, blocks(c)), t: make([]kernel.Vec, blocks(c))}
}

// activation is the elementwise function at the end of a lazy expression.
type activation uint8

const (
	noActivation activation = iota
	relu
	prelu // with slopes
)

// lazy is an expression that is not computed before somebody reads it: act(a·x + b·r), where a and
// b are affine maps or nil for the identity, and r may be missing. With prelu it is PReLU of a·x.
type lazy struct {
	x, r  *value
	a, b  *affine
	act   activation
	slope []kernel.Vec // with prelu
}

// plain reports whether the expression is x itself.
func (r lazy) plain() bool { return r.a == nil && r.r == nil && r.act == noActivation }

// reads lists the values behind a lazy expression.
func (r lazy) reads() []*value {
	if r.r != nil {
		return []*value{r.x, r.r}
	}
	return []*value{r.x}
}

// tensor is what is known of a node: up to two representations of the same numbers.
type tensor struct {
	c, h, w int    // [N, C, H, W], or [N, C] with h = w = 1
	lazy    *lazy  // blocked, possibly virtual
	plain   *value // row-major
	image   bool   // the network's input, row-major in the caller's memory
	norm    *norm  // of a BatchNorm's result, for the gradient of the ReLU behind it
}

func (t *tensor) hw() int { return t.h * t.w }

func (t *tensor) blockedLen() int { return blocks(t.c) * t.hw() * block }
