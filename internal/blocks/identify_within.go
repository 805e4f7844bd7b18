package blocks

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Found is an architecture whose tensors are among those of a file.
type Found struct {
	Spec Spec
	// Prefix stands before the names of its tensors in the file.
	Prefix string
	// Head is the name of its classifier in the file, prefix included: Head.weight and Head.bias,
	// where it has one, are the row's. "" means that the file has none; Spec then has the row's
	// classes.
	Head string
	// NoBias says that the classifier has weights alone.
	NoBias bool
	// Left are the names of the file that are neither's, sorted.
	Left []string
}

// heads are names of classifiers, each a linear layer or a Sequential with one.
var heads = []string{"fc", "classifier", "head", "last_linear", "linear", "output", "logits", "classification_head", "cls_head"}

// maxPrefixes bounds the search of one file.
const maxPrefixes = 64

// maxImageChannels is the most that the first convolution of a network takes which is looked for
// behind a prefix.
const maxImageChannels = 4

// Prefixes are those under which the first convolution of an architecture stands: rows of the
// table, or the one that is given. The order is that of names.
func Prefixes(names []string, shapes map[string][]int, only *Spec) []string {
	firsts := map[string]bool{}
	for _, s := range firstConvs(only) {
		firsts[s.FirstConv()+".weight"] = true
	}
	var found []string
	for _, name := range names {
		shape := shapes[name]
		if len(shape) != 4 {
			continue
		}
		for first := range firsts {
			prefix, ok := strings.CutSuffix(name, first)
			if !ok || prefix != "" && (!strings.HasSuffix(prefix, ".") || shape[1] > maxImageChannels) {
				continue
			}
			if !slices.Contains(found, prefix) && len(found) < maxPrefixes {
				found = append(found, prefix)
			}
		}
	}
	return found
}

// firstConvs are architectures with every name that a first convolution has.
func firstConvs(only *Spec) []Spec {
	if only != nil {
		return []Spec{*only}
	}
	return slices.DeleteFunc(slices.Clone(table), func(s Spec) bool { return s.TestOnly || s.Family == FamilySpeech })
}

// Within lists the architectures that are complete under a prefix, as Identify does: with a
// classifier under the row's name or another of the usual ones, or without one. What stands beside
// their tensors is left over; where that belongs between them, as attention in blocks does, the
// architecture does not fit. only, where it is given, is the one that is looked for.
func Within(shapes map[string][]int, prefix string, only *Spec) []Found {
	inner := map[string][]int{}
	for name, shape := range shapes {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			inner[rest] = shape
		}
	}
	specs := candidates(inner)
	if only != nil {
		specs = []Spec{*only}
	}
	var found []Found
	inBlocks := blocksOf(inner)
	for _, s := range specs {
		if f, ok := s.within(inner, shapes, inBlocks, prefix); ok && !slices.ContainsFunc(found, func(g Found) bool { return g.Spec.same(f.Spec) }) {
			found = append(found, f)
		}
	}
	// As Identify does.
	if slices.ContainsFunc(found, func(f Found) bool { return f.Spec.StemKernel == 0 }) {
		found = slices.DeleteFunc(found, func(f Found) bool { return f.Spec.StemKernel != 0 })
	}
	if slices.ContainsFunc(found, func(f Found) bool { return f.Head != "" }) {
		found = slices.DeleteFunc(found, func(f Found) bool { return f.Head == "" })
	}
	return found
}

// within looks for one architecture. inner are the shapes behind the prefix, inBlocks those of each
// block.
func (s Spec) within(inner, all map[string][]int, inBlocks map[string]map[string][]int, prefix string) (Found, bool) {
	if len(inner[s.FirstConv()+".weight"]) != 4 || !s.endsIn(inBlocks) {
		return Found{}, false
	}
	drawn := s.sizedLike(inner)
	if drawn.Validate() != nil {
		return Found{}, false
	}
	own, scopes, features := map[string]bool{}, map[string]bool{}, 0
	for _, l := range trace(drawn) {
		if l.Name == s.Head() {
			if shape := l.Shapes["weight"]; len(shape) == 2 {
				features = shape[1]
			}
			continue
		}
		for name, shape := range l.tensors() {
			if !slices.Equal(inner[name], shape) {
				return Found{}, false
			}
			own[prefix+name] = true
			scopes[scopeOf(name)] = true
		}
	}
	delete(scopes, scopeOf(s.Head()))
	f := Found{Prefix: prefix, Head: headIn(all, prefix, s.Head(), features)}
	f.NoBias = f.Head != "" && len(all[f.Head+".bias"]) == 0
	for name := range all {
		switch {
		case own[name] || f.Head != "" && (name == f.Head+".weight" || name == f.Head+".bias"):
			continue
		case strings.HasPrefix(name, prefix) && scopes[scopeOf(name[len(prefix):])]:
			return Found{}, false
		}
		f.Left = append(f.Left, name)
	}
	slices.Sort(f.Left)
	drawn.Classes = s.Classes
	if f.Head != "" {
		drawn.Classes = all[f.Head+".weight"][0]
	}
	f.Spec = counted(drawn)
	return f, f.Spec.Validate() == nil
}

// endsIn reports whether the last block of a residual network is among those of a file, and none
// behind it: what is told without drawing the network.
func (s Spec) endsIn(inBlocks map[string]map[string][]int) bool {
	n := len(s.Depths)
	if n == 0 || s.Family == FamilySpeech {
		return true
	}
	block := func(j int) map[string][]int { return inBlocks[fmt.Sprintf("layer%d.%d", n, j)] }
	return block(s.Depths[n-1]-1) != nil && block(s.Depths[n-1]) == nil
}

// scopeOf is the first part of a name, without a number at its end: layer of layer3.0.conv1.
func scopeOf(name string) string {
	scope, _, _ := strings.Cut(name, ".")
	return strings.TrimRight(scope, "0123456789")
}

// headIn is the name of the linear layer that classifies: of the row's name, or of a usual one,
// with a Sequential around it or not, under the prefix or beside what the prefix names; or the next
// layer of the Sequential in which the network is one of the layers. It may have no bias. A head of
// several layers is no classifier of ours.
func headIn(shapes map[string][]int, prefix, own string, features int) string {
	isLinear := func(name string) bool {
		w, bias := shapes[name+".weight"], shapes[name+".bias"]
		_, biased := shapes[name+".bias"]
		return len(w) == 2 && w[1] == features && (!biased || slices.Equal(bias, w[:1]))
	}
	for level := prefix; ; level = parentOf(level) {
		if isLinear(level + own) {
			return level + own
		}
		for _, h := range heads {
			if isLinear(level + h) {
				return level + h
			}
			if name := onlyLayer(shapes, func(n string) bool { return strings.HasPrefix(n, level+h+".") }); name != "" && isLinear(name) {
				return name
			}
		}
		if number, ok := numberBehind(prefix, level); ok {
			name := onlyLayer(shapes, func(n string) bool {
				at, isNumber := numberBehind(n, level)
				return isNumber && at > number
			})
			if name != "" && isLinear(name) {
				return name
			}
		}
		if level == "" {
			return ""
		}
	}
}

// parentOf is the prefix one part shorter.
func parentOf(prefix string) string {
	prefix = strings.TrimSuffix(prefix, ".")
	return prefix[:strings.LastIndexByte(prefix, '.')+1]
}

// numberBehind is the part of a name behind a level, where it is a number.
func numberBehind(name, level string) (int, bool) {
	rest, ok := strings.CutPrefix(name, level)
	part, _, _ := strings.Cut(rest, ".")
	n, err := strconv.Atoi(part)
	return n, ok && err == nil
}

// onlyLayer is the name of the one layer that has all tensors of a kind; "" where several have.
func onlyLayer(shapes map[string][]int, isOne func(name string) bool) string {
	layer := ""
	for name := range shapes {
		if !isOne(name) {
			continue
		}
		this := name[:max(0, strings.LastIndexByte(name, '.'))]
		if layer != "" && layer != this {
			return ""
		}
		layer = this
	}
	return layer
}
