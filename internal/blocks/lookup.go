package blocks

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// ErrUnknown marks a name that is not in the table.
var ErrUnknown = errors.New("unknown architecture")

// Names lists the rows of the table in its order, without those that only tests use.
func Names() []string {
	var names []string
	for _, s := range table {
		if !s.TestOnly {
			names = append(names, s.Name)
		}
	}
	return names
}

// Lookup returns the architecture of that name: a row of the table; "cifar-resnet14" or
// "cifar-plain14", the CIFAR family at any depth 6n+2; either with a letter after it, "resnet20b",
// for another shortcut option; or any of them with the suffixes of a variation,
// "resnet20-sigmoid-nobn". These are all the names that Resolve gives. Any other fails with
// ErrUnknown and the nearest name.
func Lookup(name string) (Spec, error) {
	if s, ok := lookup(name); ok {
		return s, nil
	}
	return Spec{}, fmt.Errorf("%w %q%s", ErrUnknown, name, suggest(name))
}

func lookup(name string) (Spec, bool) {
	if s, ok := base(name); ok {
		return s, true
	}
	if s, option, ok := splitOption(name); ok && s.Shortcut != None {
		return withShortcut(s, option), true
	}
	core, v := splitVariation(name)
	if v == (variation{}) {
		return Spec{}, false
	}
	s, ok := lookup(core)
	if !ok || s.refuses() != "" {
		return Spec{}, false
	}
	s = s.vary(v)
	return s, s.Name == name
}

// splitOption reads a name that ends in an option's letter: "resnet20b" is resnet20 and B.
func splitOption(name string) (Spec, Shortcut, bool) {
	for _, option := range []Shortcut{OptionA, OptionB, OptionC} {
		if stem, ok := strings.CutSuffix(name, strings.ToLower(string(option))); ok {
			s, ok := base(stem)
			return s, option, ok
		}
	}
	return Spec{}, "", false
}

// base finds a row, or makes a net of the CIFAR family that the table does not hold.
func base(name string) (Spec, bool) {
	if i := slices.IndexFunc(table, func(s Spec) bool { return s.Name == name }); i >= 0 {
		return table[i].clone(), true
	}
	for _, residual := range []bool{false, true} {
		digits, ok := strings.CutPrefix(name, familyPrefix(residual))
		if !ok {
			continue
		}
		depth, err := strconv.Atoi(digits)
		if err != nil || checkDepth(depth) != "" {
			continue
		}
		if s := cifarFamily(depth, residual); s.Name == name {
			return s, true
		}
	}
	return Spec{}, false
}

func familyPrefix(residual bool) string {
	if residual {
		return "cifar-resnet"
	}
	return "cifar-plain"
}

// cifarFamily is the net of the CIFAR family with depth = 6n+2 layers: the row where there is one.
// Others have names of their own, because resnet50 and resnet152 are ImageNet's.
func cifarFamily(depth int, residual bool) Spec {
	shortcut := None
	if residual {
		shortcut = OptionA
	}
	for _, s := range cifarRows {
		if s.Depth() == depth && s.Shortcut == shortcut {
			return s.clone()
		}
	}
	name := fmt.Sprintf("%s%d", familyPrefix(residual), depth)
	if s, ok := counts.Load(name); ok {
		return s.(Spec).clone()
	}
	s := cifar(name, depth, shortcut)
	s.Source = "section 4.2, another depth"
	s = counted(s)
	counts.Store(name, s.clone())
	return s
}

// counts keeps nets that are no rows by their names: those of 20,000 layers take a second to count,
// a configuration is resolved several times, and a file is compared with all of them.
var counts sync.Map

// checkDepth says what is wrong with a depth of the CIFAR family, or "".
func checkDepth(depth int) string {
	const deepest = 6*(maxBlocks/3) + 2
	switch {
	case depth < 8 || depth > deepest:
		return fmt.Sprintf("%d; 6n+2 with n of at least 1, up to %d", depth, deepest)
	case (depth-2)%6 != 0:
		n := (depth - 2) / 6
		return fmt.Sprintf("%d is not 6n+2; the nearest are %d and %d", depth, 6*n+2, 6*n+8)
	}
	return ""
}

// withShortcut is the residual net s of no variation with another option, and another name: the row
// of that name where there is one (resnet34 with A is resnet34a), otherwise a net without a value
// of the paper.
func withShortcut(s Spec, option Shortcut) Spec {
	if plainName, _, ok := splitOption(s.Name); ok {
		s = plainName
	}
	if s.Shortcut == option {
		return s
	}
	name := s.Name + strings.ToLower(string(option))
	if r, ok := base(name); ok {
		return r
	}
	if s, ok := counts.Load(name); ok {
		return s.(Spec).clone()
	}
	s.Name, s.Shortcut, s.PaperError = name, option, nil
	s = counted(s)
	counts.Store(name, s.clone())
	return s
}
