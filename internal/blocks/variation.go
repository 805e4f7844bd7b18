package blocks

import (
	"fmt"
	"slices"
	"strings"
)

// Activation is what stands behind normalised convolutions and additions of a net of blocks.
type Activation string

// The activations: the paper's; 1/(1+exp(-x)); and x or exp(x)-1 (Clevert et al. 2015,
// arXiv:1511.07289). Convolutions start as He et al. 2015, which Clevert et al. take for ELU as
// well; before sigmoids as Glorot and Bengio 2010 (see graph.Options).
const (
	ReLU    Activation = ""
	Sigmoid Activation = "sigmoid"
	ELU     Activation = "elu"
)

// variation is what an experiment may change in a net of blocks, for what it buys. The zero value
// is the paper's net.
type variation struct {
	activation  Activation
	noBatchNorm bool
	stemKernel  int // 0 means the Stem's
}

func (s Spec) variation() variation { return variation{s.Activation, s.NoBatchNorm, s.StemKernel} }

// SameVariation reports whether two nets have one activation, one kernel in the stem, and both
// batch normalisation or both none.
func (s Spec) SameVariation(o Spec) bool { return s.variation() == o.variation() }

// suffix is what a variation adds to the name of a net.
func (v variation) suffix() string {
	name := ""
	if v.activation != ReLU {
		name += "-" + string(v.activation)
	}
	if v.noBatchNorm {
		name += "-nobn"
	}
	if v.stemKernel > 0 {
		name += fmt.Sprintf("-stem%d", v.stemKernel)
	}
	return name
}

// source is what a variation adds to where a net comes from.
func (v variation) source() string {
	said := ""
	if v.activation != ReLU {
		said += ", with " + map[Activation]string{Sigmoid: "sigmoid", ELU: "ELU"}[v.activation] + " for ReLU"
	}
	if v.noBatchNorm {
		said += ", without batch normalisation"
	}
	if v.stemKernel > 0 {
		said += fmt.Sprintf(", with a first convolution of %dx%d", v.stemKernel, v.stemKernel)
	}
	return said
}

// splitVariation reads a name that ends in suffixes: "resnet20-elu-nobn" is resnet20 and those.
func splitVariation(name string) (core string, v variation) {
	core = name
	for _, k := range stemKernels {
		if before, ok := strings.CutSuffix(core, fmt.Sprintf("-stem%d", k)); ok {
			core, v.stemKernel = before, k
			break
		}
	}
	core, v.noBatchNorm = strings.CutSuffix(core, "-nobn")
	for _, a := range []Activation{Sigmoid, ELU} {
		if before, ok := strings.CutSuffix(core, "-"+string(a)); ok {
			core, v.activation = before, a
			break
		}
	}
	return core, v
}

// stemKernels are those that the first convolution may have.
var stemKernels = []int{3, 5, 7}

// kernel is that of the first convolution, or 0 for a stem of another kind.
func (s Stem) kernel() int {
	switch s {
	case Stem3x3:
		return 3
	case Stem7x7, StemCaffe:
		return 7
	}
	return 0
}

// vary is s in another variation, with its name and without a value of the paper; or in none, which
// is the net that Lookup finds.
func (s Spec) vary(v variation) Spec {
	if v.stemKernel == s.Stem.kernel() {
		v.stemKernel = 0
	}
	old := s.variation()
	if v == old {
		return s
	}
	s.Name = strings.TrimSuffix(s.Name, old.suffix()) + v.suffix()
	if v == (variation{}) {
		if r, ok := lookup(s.Name); ok {
			return r
		}
	}
	s.Source = strings.TrimSuffix(s.Source, old.source()) + v.source()
	s.Activation, s.NoBatchNorm, s.StemKernel = v.activation, v.noBatchNorm, v.stemKernel
	s.PaperError = nil
	return counted(s)
}

// Varies reports whether a net has an activation, normalisation and stem that may be others.
func (s Spec) Varies() bool { return s.refuses() == "" }

// Varied reports whether one of them is another than the paper's.
func (s Spec) Varied() bool { return s.variation() != (variation{}) }

// BatchNormalised reports whether a net has batch normalisation, with running statistics.
func (s Spec) BatchNormalised() bool {
	return slices.ContainsFunc(trace(s), func(l Layer) bool { return l.Type == "bn" })
}

// refuses says why a net has no variations, or "".
func (s Spec) refuses() string {
	switch {
	case s.Family == FamilySpeech:
		return "it is for networks of images, and " + s.Name + " is one of speech"
	case s.Block == Sequence:
		return s.Name + " is drawn line by line as in its paper, with the activations and normalisations there"
	case s.Variant != Variant{} || s.preActivated():
		return s.Name + " has the activations and normalisations of its own paper"
	}
	return ""
}

// wrongVariation is what is wrong with the variation of a Spec, or "".
func (s Spec) wrongVariation() string {
	switch v := s.variation(); {
	case v == (variation{}):
		return ""
	case s.refuses() != "":
		return "activation, no_batch_norm or stem_kernel: " + s.refuses()
	case v.activation != ReLU && v.activation != Sigmoid && v.activation != ELU:
		return fmt.Sprintf("activation %q; none for ReLU, %s or %s", v.activation, Sigmoid, ELU)
	case v.stemKernel != 0 && (s.Stem.kernel() == 0 || !slices.Contains(stemKernels, v.stemKernel)):
		return fmt.Sprintf("stem_kernel %d; 3, 5 or 7 of the stems %s and %s", v.stemKernel, Stem3x3, Stem7x7)
	}
	return ""
}

// variation is the one that a section asks for in the net s.
func (c Config) variation(s Spec) variation {
	v := s.variation()
	switch c.Activation {
	case "":
	case "relu":
		v.activation = ReLU
	default:
		v.activation = Activation(c.Activation)
	}
	v.noBatchNorm = v.noBatchNorm || !c.BatchNorm
	if c.StemKernel != 0 {
		v.stemKernel = c.StemKernel
	}
	return v
}

// validateVariation reports what is wrong with the keys of a variation, and those of batch
// normalisation where there is none. s is the net that they are for, if it is known.
func (c Config) validateVariation(s Spec, known bool, report func(key, hint, format string, args ...any)) {
	refused := func(key string) bool {
		why := s.refuses()
		if known && why != "" {
			report(key, "leave it out", "%s", why)
		}
		return known && why != ""
	}
	if c.Activation != "" && !refused("activation") && !slices.Contains([]string{"relu", string(Sigmoid), string(ELU)}, c.Activation) {
		report("activation", "relu, sigmoid or elu; leave it out for the row's own", "unknown activation %q", c.Activation)
	}
	if c.StemKernel != 0 && !refused("stem_kernel") {
		switch {
		case !slices.Contains(stemKernels, c.StemKernel):
			report("stem_kernel", "3, 5 or 7; leave it out for the row's own", "%d is none of them", c.StemKernel)
		case known && s.Stem.kernel() == 0:
			report("stem_kernel", "leave it out", "%s begins with more than one convolution", s.Name)
		}
	}
	if !c.BatchNorm {
		refused("batch_norm")
	}
	if known && s.refuses() == "" && c.variation(s).noBatchNorm {
		const idle = "the network has no batch normalisation"
		if c.BNEps != 0 {
			report("bn_eps", "leave it out", idle)
		}
		if c.BNMomentum != 0 && c.BNMomentum != DefaultBNMomentum {
			report("bn_momentum", "leave it out", idle)
		}
	}
}

// vary is the net that draws s in its variation: blocks and stems say ReLU and BatchNorm, as in the
// figures, and it says what is drawn for them.
func vary[T any](b net[T], s Spec) net[T] {
	if !s.Varied() {
		return b
	}
	return varied[T]{b, s.variation()}
}

type varied[T any] struct {
	net[T]
	variation
}

func (n varied[T]) In(scope string) net[T] { return varied[T]{n.net.In(scope), n.variation} }

func (n varied[T]) Conv(name string, x T, o convOpts) T {
	o.bias = o.bias || n.noBatchNorm // which β was
	return n.net.Conv(name, x, o)
}

func (n varied[T]) BatchNorm(name string, x T) T {
	if n.noBatchNorm {
		return x
	}
	return n.net.BatchNorm(name, x)
}

func (n varied[T]) ReLU(x T) T {
	switch n.activation {
	case Sigmoid:
		return n.Sigmoid(x)
	case ELU:
		return n.ELU(x)
	}
	return n.net.ReLU(x)
}

// NetworkName is the name of a net without what keys of the section `model` say of it (shortcut,
// activation, batch_norm, stem_kernel): that of the net which they make others of.
func (s Spec) NetworkName(keys ...string) string {
	v := s.variation()
	core := strings.TrimSuffix(s.Name, v.suffix())
	for _, key := range keys {
		switch key {
		case "model.shortcut":
			if row, _, ok := splitOption(core); ok {
				core = row.Name
			}
		case "model.activation":
			v.activation = ReLU
		case "model.batch_norm":
			v.noBatchNorm = false
		case "model.stem_kernel":
			v.stemKernel = 0
		}
	}
	return core + v.suffix()
}
