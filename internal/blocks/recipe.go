package blocks

import (
	"fmt"
	"strings"

	"resnet/internal/graph"
)

// What later recipes change in the training of residual networks, and not in the networks.

// branches reports whether the net has residual branches in stages of blocks.
func (s Spec) branches() bool {
	return s.Family != FamilySpeech && s.Block != Sequence && s.Shortcut != None
}

// validateRecipe reports what is wrong with the section's keys of this file.
func (c Config) validateRecipe(s Spec, known bool, report func(key, hint, format string, args ...any)) {
	if !(c.DropPath >= 0 && c.DropPath < 1) {
		report("stochastic_depth", "0.05 to 0.2 is usual", "%g is not at least 0 and below 1", c.DropPath)
	} else if c.DropPath > 0 && known && !s.branches() {
		report("stochastic_depth", "name a residual net of images", "%s has no blocks with shortcuts", s.Name)
	}
	if c.ZeroInit && known && (!s.branches() || s.lastNorm() == "" || !c.BatchNorm) {
		report("zero_init_residual", "name a residual net of images", "%s has no blocks that end with a normalisation before the addition", s.Name)
	}
}

// lastNorm is the name of the normalisation before the addition of a block; "" where there is none.
func (s Spec) lastNorm() string {
	switch {
	case s.NoBatchNorm:
	case s.Block == Basic:
		return "bn2"
	case s.Block == Bottleneck:
		return "bn3"
	}
	return ""
}

// ZeroResidual sets γ of the last normalisation of each residual branch to 0: torchvision's
// zero_init_residual.
func ZeroResidual(s Spec, params *graph.ParamSet) {
	last := s.lastNorm()
	if !s.branches() || last == "" {
		return
	}
	for i, depth := range s.Depths {
		for j := range depth {
			if p := params.Get(fmt.Sprintf("layer%d.%d.%s.weight", i+1, j, last)); p != nil {
				clear(p.Data)
			}
		}
	}
}

// droppingNet draws residual branches that are dropped at random: the first operand of each
// addition.
type droppingNet struct {
	net[*graph.Node]
	s     Spec
	b     *graph.Builder
	scope string
}

// dropPaths is n, which draws with b, with stochastic depth where the net has it.
func dropPaths(n net[*graph.Node], b *graph.Builder, s Spec) net[*graph.Node] {
	if s.StochasticDepth == 0 || b.Mode() != graph.Train {
		return n
	}
	return droppingNet{net: n, s: s, b: b}
}

func (n droppingNet) In(scope string) net[*graph.Node] {
	n.net, n.b, n.scope = n.net.In(scope), n.b.In(scope), strings.TrimPrefix(n.scope+"."+scope, ".")
	return n
}

func (n droppingNet) Add(f, shortcut *graph.Node) *graph.Node {
	return n.net.Add(n.b.DropPath(f, n.s.dropRate(n.scope)), shortcut)
}

// dropRate is the probability that the branch of the block so called is dropped: it rises evenly
// from 0 of the first block to StochasticDepth of the last, as timm's drop_path_rate does.
func (s Spec) dropRate(block string) float64 {
	at, total := 0, 0
	for i, depth := range s.Depths {
		for j := range depth {
			if block == fmt.Sprintf("layer%d.%d", i+1, j) {
				at = total
			}
			total++
		}
	}
	return s.StochasticDepth * float64(at) / float64(max(total-1, 1))
}
