package blocks

import (
	"fmt"
	"slices"
)

// BlockPart is a part of a block that can be left out when a trained net is measured.
type BlockPart string

// A block is y = act(F(x) + S(x)): its branch is F, and S its shortcut (He et al. 2016, eq. (1) and
// (2)). Without its branch it is the shortcut alone, as Veit et al. 2016 (arXiv:1605.06431, section
// 4.1) delete a block; without its shortcut it is a plain block. Of a plain net the whole block is
// left out with its branch.
const (
	PartBranch   BlockPart = "branch"
	PartShortcut BlockPart = "shortcut"
)

// dropped is a part that is left out of one block.
type dropped struct {
	part  BlockPart
	block string // "layer2.0"
}

// A PlacedBlock is a block as its parameters are named, "layer2.0". Changes says that its input and
// output have different shapes: eq. (2) and not (1).
type PlacedBlock struct {
	Name    string
	Changes bool
}

// Blocks are the building blocks of a net of stages, in forward order.
func (s Spec) Blocks() []PlacedBlock {
	var list []PlacedBlock
	var last, before []int // shapes: of the last layer, and of what the block takes
	for _, l := range trace(s) {
		if name := l.Block(); name != "" && len(s.Depths) > 0 {
			if n := len(list); n == 0 || list[n-1].Name != name {
				list, before = append(list, PlacedBlock{Name: name}), last
			}
			list[len(list)-1].Changes = !slices.Equal(l.Output, before)
		}
		last = l.Output
	}
	return list
}

// Without is the net without the part of a block, for evaluation: it has the parameters of the
// whole one. It fails with ErrSpec where nothing could be left: the shortcut of a plain net, or of
// one a block that changes the shape.
func (s Spec) Without(part BlockPart, b PlacedBlock) (Spec, error) {
	wrong := s.refuses()
	switch {
	case wrong != "":
	case part != PartBranch && part != PartShortcut:
		wrong = fmt.Sprintf("no part %q of a block; %s or %s", part, PartBranch, PartShortcut)
	case s.Shortcut == None && part == PartShortcut:
		wrong = "a plain net has no shortcuts"
	case s.Shortcut == None && b.Changes:
		wrong = b.Name + " changes the shape, and nothing else would"
	}
	if wrong != "" {
		return s, fmt.Errorf("architecture %q: %w: %s", s.Name, ErrSpec, wrong)
	}
	s.dropped = &dropped{part, b.Name}
	return s, nil
}

// Lacks is the part that a net is without, "shortcut of layer2.0", or "".
func (s Spec) Lacks() string {
	if s.dropped == nil {
		return ""
	}
	return string(s.dropped.part) + " of " + s.dropped.block
}

// rest is the drawing of a block, or of what is left of it where a part is dropped.
func rest[T any](s Spec, name string, block func(net[T], T, blockSpec) T) func(net[T], T, blockSpec) T {
	switch {
	case s.dropped == nil || s.dropped.block != name:
		return block
	case s.Shortcut == None:
		return func(_ net[T], x T, _ blockSpec) T { return x }
	}
	return func(b net[T], x T, p blockSpec) T { return block(halved[T]{b, s.dropped.part}, x, p) }
}

// halved draws one side of an addition: the branch is the first, as in join.
type halved[T any] struct {
	net[T]
	without BlockPart
}

func (n halved[T]) In(scope string) net[T] { return halved[T]{n.net.In(scope), n.without} }

func (n halved[T]) Add(branch, shortcut T) T {
	if n.without == PartBranch {
		return shortcut
	}
	return branch
}
