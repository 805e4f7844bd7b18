package experiment

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"resnet/internal/blocks"
	"resnet/internal/config"
	"resnet/internal/graph/weights"
	"resnet/internal/text"
)

// namedSet is a set of a file with our names for its tensors.
type namedSet struct {
	weights.Set
	names  []string          // ours, in the order of the file
	shapes map[string][]int  // by our names; nil for an object that is no tensor
	theirs map[string]string // the file's names by ours
	ours   map[string]string // the reverse, of the network's tensors and others
	passed []string          // the file's names of what operations were counted with
}

// place is where in a file a network is: in a set, behind a prefix of our names.
type place struct {
	set    *namedSet
	prefix string
	found  []blocks.Found // the architectures that fit
}

// located is the network of a file of PyTorch.
type located struct {
	net      weights.Foreign
	found    []blocks.Found // the architectures that fit; empty says that none does
	headless bool
	noBias   bool     // of the classifier, which gets zeros
	key      string   // of the set
	keys     []string // of other sets that hold a network
	prefix   string   // as the file has it
	same     []string // prefixes behind which the same values stand
	left     []string // the file's names of what is not the network's
}

// nameSet gives a set our names. It fails where two tensors get the same.
func nameSet(path string, s weights.Set) (*namedSet, error) {
	n := &namedSet{Set: s, shapes: map[string][]int{}, theirs: map[string]string{}, ours: map[string]string{}}
	for i, name := range weights.OurNames(s.Tensors) {
		t := s.Tensors[i]
		switch {
		case weights.IsCounter(name):
		case weights.IsMeasure(name):
			n.passed = append(n.passed, t.Name)
		case n.theirs[name] != "":
			return nil, fmt.Errorf("%s: %w: %q and %q are both %q", path, weights.ErrMismatch, n.theirs[name], t.Name, name)
		default:
			n.names = append(n.names, name)
			n.shapes[name], n.theirs[name], n.ours[t.Name] = t.Shape, t.Name, name
		}
	}
	for name := range s.Opaque {
		if ours := weights.TorchvisionName(name); n.theirs[ours] == "" {
			n.shapes[ours], n.theirs[ours] = nil, name
		}
	}
	return n, nil
}

// prefixOf is --prefix in our names, with its point: "." is the beginning.
func prefixOf(flag string) string {
	const probe = "conv1.weight"
	return strings.TrimSuffix(weights.TorchvisionName(strings.TrimPrefix(strings.Trim(flag, ".")+"."+probe, ".")), probe)
}

// locate finds the network of a file by its tensors. With --arch it is that architecture that is
// looked for.
func (o ImportOptions) locate(path string, f *weights.ForeignFile) (located, error) {
	var only *blocks.Spec
	if o.Arch != "" {
		s, err := blocks.Lookup(o.Arch)
		if err != nil {
			return located{}, &config.UsageError{Err: err}
		}
		only = &s
	}
	var places []place
	var sets []*namedSet
	for _, s := range f.Sets {
		if o.WeightsKey != "" && s.Key != strings.Trim(o.WeightsKey, ".") {
			continue
		}
		n, err := nameSet(path, s)
		if err != nil {
			return located{}, err
		}
		sets = append(sets, n)
		for _, prefix := range blocks.Prefixes(n.names, n.shapes, only) {
			if o.Prefix != "" && prefix != prefixOf(o.Prefix) {
				continue
			}
			if found := blocks.Within(n.shapes, prefix, only); len(found) > 0 {
				places = append(places, place{n, prefix, found})
			}
		}
	}
	if len(sets) == 0 {
		return located{}, config.Usagef("%s: it has no set of weights %q; it has %s", path, o.WeightsKey, quotedKeys(f.Sets))
	}
	if len(places) == 0 {
		return o.unfound(path, sets)
	}
	places, others, err := chooseSet(path, places)
	if err != nil {
		return located{}, err
	}
	at, same, err := choosePrefix(path, places)
	if err != nil {
		return located{}, err
	}
	l, err := at.read(path, same)
	l.keys = others
	return l, err
}

// tensors reads the network's tensors, with the names of its architecture.
func (p place) tensors() ([]weights.Tensor, error) {
	f := p.found[0]
	left := map[string]bool{}
	for _, name := range f.Left {
		left[name] = true
	}
	head, own := f.Head+".", f.Spec.Head()+"."
	list, err := p.set.Load(func(theirs string) bool {
		name := p.set.ours[theirs]
		return name != "" && !left[name]
	})
	for i := range list {
		name := p.set.ours[list[i].Name]
		if rest, ok := strings.CutPrefix(name, head); ok && f.Head != "" {
			list[i].Name = own + rest
		} else {
			list[i].Name = strings.TrimPrefix(name, p.prefix)
		}
	}
	if f.NoBias {
		n := f.Spec.Classes
		list = append(list, weights.Tensor{Name: own + "bias", DType: weights.F32, Shape: []int{n}, Data: make([]float32, n)})
	}
	return list, err
}

// equals reports whether two places hold the same values.
func (p place) equals(q place) (bool, error) {
	mine, err1 := p.tensors()
	theirs, err2 := q.tensors()
	if err := errors.Join(err1, err2); err != nil {
		return false, err
	}
	byName := map[string]weights.Tensor{}
	for _, t := range theirs {
		byName[t.Name] = t
	}
	return len(mine) == len(theirs) && !slices.ContainsFunc(mine, func(t weights.Tensor) bool {
		o := byName[t.Name]
		return !slices.Equal(t.Shape, o.Shape) || !slices.EqualFunc(t.Data, o.Data, func(a, b float32) bool {
			return math.Float32bits(a) == math.Float32bits(b)
		})
	}), nil
}

// read is the network of a place, and of others with the same values.
func (p place) read(path string, same []place) (located, error) {
	f := p.found[0]
	l := located{found: p.found, headless: f.Head == "", noBias: f.NoBias, key: p.set.Key}
	if p.prefix != "" {
		l.prefix = p.shownPrefix()
	}
	for _, q := range same {
		l.same = append(l.same, q.shownPrefix())
	}
	for _, name := range f.Left {
		if slices.ContainsFunc(same, func(q place) bool { return !slices.Contains(q.found[0].Left, name) }) {
			continue
		}
		theirs := p.set.theirs[name]
		// An object in the place of a tensor; what a script has put beside them has no point in its
		// name.
		if class, ok := p.set.Opaque[theirs]; ok && strings.Contains(strings.TrimPrefix(name, p.prefix), ".") {
			return l, fmt.Errorf("%s: %w: %s: %w", path, weights.ErrTorch, text.Printable(theirs), &weights.ClassError{Class: class})
		}
		l.left = append(l.left, theirs)
	}
	l.left = append(l.left, p.set.passed...)
	list, err := p.tensors()
	l.net = weights.Foreign{Tensors: list, Program: "PyTorch"}
	if named, e := weights.Named(p.set.Tensors); e == nil { // names may tell what no tensor shows
		l.net.Windows = named.Windows
	}
	return l, err
}

// unfound is the set that was most likely meant, where no architecture fits: its tensors by our
// names, for a message or a layout of its own.
func (o ImportOptions) unfound(path string, sets []*namedSet) (located, error) {
	keys := make([]string, len(sets))
	for i, s := range sets {
		keys[i] = s.Key
	}
	i := weights.PlainSet(keys)
	if i < 0 || len(sets[i].Tensors) < 2 {
		i = 0
		for j, s := range sets {
			if len(s.Tensors) > len(sets[i].Tensors) {
				i = j
			}
		}
	}
	s := sets[i]
	for name, class := range s.Opaque {
		return located{}, fmt.Errorf("%s: %w: %s: %w", path, weights.ErrTorch, text.Printable(name), &weights.ClassError{Class: class})
	}
	list, err := s.Load(func(name string) bool { return !weights.IsMeasure(weights.TorchvisionName(name)) })
	if err != nil {
		return located{}, err
	}
	net, err := weights.Named(list)
	if err != nil {
		return located{}, fmt.Errorf("%s: %w: %w", path, weights.ErrMismatch, err)
	}
	prefix := likelyPrefix(net.Tensors)
	if o.Prefix != "" {
		prefix = prefixOf(o.Prefix)
	}
	net.Tensors = slices.DeleteFunc(net.Tensors, func(t weights.Tensor) bool { return !strings.HasPrefix(t.Name, prefix) })
	if len(net.Tensors) == 0 {
		return located{}, config.Usagef("%s: no tensor's name begins with the --prefix %s", path, text.Printable(o.Prefix))
	}
	for j := range net.Tensors {
		net.Tensors[j].Name = strings.TrimPrefix(net.Tensors[j].Name, prefix)
	}
	return located{net: net, key: s.Key, left: s.passed}, nil
}

// likelyPrefix is the first behind which a residual network begins, whatever its stem is; "" where
// none does.
func likelyPrefix(list []weights.Tensor) string {
	for _, t := range list {
		if prefix, ok := strings.CutSuffix(t.Name, "layer1.0.conv1.weight"); ok && (prefix == "" || strings.HasSuffix(prefix, ".")) {
			return prefix
		}
	}
	return ""
}
