package blocks

import (
	"math"
	"strings"
)

// Limits of a Body, far above any known net: see those of a Spec.
const (
	maxParts    = 2_000
	maxNesting  = 2       // a module in the body, a branch with modules
	maxFeatures = 1 << 20 // channels of a map, or values of a row
)

// validateBody is Validate for what only nets of Block Sequence have.
func (s Spec) validateBody(fail func(format string, args ...any) error) error {
	switch {
	case s.Stem != "" || s.Shortcut != None || len(s.Depths)+len(s.Widths) > 0:
		return fail("block %s has a body, and no stem, shortcuts, depths or widths", Sequence)
	case !endsInClassifier(s.Body):
		return fail("the body has to end with a fully connected layer for the classes: kind fc, without out")
	}
	parts := 0
	if wrong := checkParts(s.Body, maxNesting, true, &parts); wrong != "" {
		return fail("body: %s", wrong)
	}
	if wrong := traced(s).wrong; wrong != "" {
		return fail("body: %s", wrong)
	}
	return nil
}

func endsInClassifier(parts []Part) bool {
	return len(parts) > 0 && parts[len(parts)-1].Kind == PartClassifier
}

// checkParts says what is wrong with parts by themselves, or "". Auxiliary classifiers stand in the
// body alone.
func checkParts(parts []Part, nesting int, top bool, count *int) string {
	for _, p := range parts {
		if *count++; *count > maxParts {
			return "too many parts"
		}
		if wrong := p.check(nesting, top, count); wrong != "" {
			return string(p.Kind) + " " + p.Name + ": " + wrong
		}
	}
	return ""
}

func (p Part) check(nesting int, top bool, count *int) string {
	if strings.HasPrefix(p.Name, ".") || strings.HasSuffix(p.Name, ".") || strings.Contains(p.Name, "..") {
		return "a name with an empty part"
	}
	named := func(ok bool, otherwise string) string {
		if p.Name == "" {
			return "it needs a name"
		}
		if !ok {
			return otherwise
		}
		return ""
	}
	between := func(v, low, high int) bool { return v >= low && v <= high }
	pool := between(p.Kernel, 1, maxSize) && between(p.Stride, 1, maxSize) && between(2*p.Pad, 0, p.Kernel)
	switch p.Kind {
	case PartConv:
		return named(between(p.Out, 1, maxWidth) && between(p.Kernel, 1, 63) && p.Kernel%2 == 1 && between(p.Stride, 1, maxSize),
			"out of 1 to 16384 filters, an odd kernel up to 63, stride at least 1")
	case PartNorm, PartPReLU, PartClassifier:
		return named(true, "")
	case PartFC:
		return named(between(p.Out, 1, maxWidth), "out of at most 16384 units; without it, as many as there are classes")
	case PartReLU, PartLRN, PartGlobal, PartFlatten:
		return ""
	case PartMaxPool, PartAvgPool:
		if !pool {
			return "kernel and stride at least 1, pad at most half the kernel"
		}
	case PartDropout:
		return named(p.Dropout >= 0 && p.Dropout < 1, "rate at least 0, below 1")
	case PartPyramid:
		for _, n := range p.Levels {
			if !between(n, 1, 64) {
				return "levels of 1 to 64 bins a side"
			}
		}
		return named(between(len(p.Levels), 1, 8), "1 to 8 levels")
	case PartModule, PartAux:
		switch {
		case nesting == 0:
			return "modules in modules of modules"
		case p.Kind == PartAux && (!top || len(p.Branches) != 1 || !(p.LossWeight > 0 && p.LossWeight <= math.MaxFloat32)):
			return "an auxiliary classifier stands in the body itself, has one branch and a weight above 0"
		case p.Kind == PartAux && !endsInClassifier(p.Branches[0]):
			return "it has to end with a fully connected layer for the classes"
		case p.Name == "" || !between(len(p.Branches), 1, 64):
			return "it needs a name and 1 to 64 branches"
		}
		for _, branch := range p.Branches {
			if wrong := checkParts(branch, nesting-1, false, count); wrong != "" {
				return wrong
			}
		}
	default:
		return "not a kind of part"
	}
	return ""
}
