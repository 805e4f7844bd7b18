package experiment

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"resnet/internal/blocks"
	"resnet/internal/config"
	"resnet/internal/graph"
	"resnet/internal/graph/weights"
	"resnet/internal/text"
)

// architecture is the one that --arch names, or the only one that names, shapes and windows leave.
func (o ImportOptions) architecture(path string, f weights.Foreign) (blocks.Spec, error) {
	shapes := make(map[string][]int, len(f.Tensors))
	for _, t := range f.Tensors {
		shapes[t.Name] = t.Shape
	}
	if f.Program == "Chainer" {
		s, err := blocks.SpeechForTensors(shapes)
		if err == nil && o.Arch != "" && o.Arch != s.Name {
			err = fmt.Errorf("it is %s", s.Name)
		}
		if err != nil {
			return s, fmt.Errorf("%s: %w: %w", path, weights.ErrMismatch, err)
		}
		return s, nil
	}
	if o.Arch != "" {
		if _, err := blocks.Lookup(o.Arch); err != nil {
			return blocks.Spec{}, &config.UsageError{Err: err}
		}
		return o.named(path, o.Arch, shapes, f.Windows)
	}
	found := blocks.Identify(shapes)
	if len(found) == 0 {
		return blocks.Spec{}, noneFits(path, f.Tensors, shapes)
	}
	return o.choose(source{path: path}, found, f)
}

// choose is the only one of the architectures that fit which has the windows of the file, and is
// what the files beside it say.
func (o ImportOptions) choose(from source, found []blocks.Spec, f weights.Foreign) (blocks.Spec, error) {
	path := from.path
	if own := slices.DeleteFunc(slices.Clone(found), func(s blocks.Spec) bool { return s.Stem != blocks.StemCaffe }); f.Program == "Caffe" && len(own) > 0 {
		found = own // Caffe's poolings round up, whether the file says so or not
	}
	if fit := slices.DeleteFunc(slices.Clone(found), func(s blocks.Spec) bool { return misfit(s, f.Windows) != "" }); len(fit) > 0 {
		found = fit
	} else {
		found = found[:1] // whose misfit is told
	}
	if hub := from.hub; hub != nil {
		if hub.Unlike != "" && o.Arch == "" {
			return blocks.Spec{}, fmt.Errorf("%s: %w: the description beside it says %s, which no architecture here has and its tensors do not show; --arch takes it all the same", path, weights.ErrMismatch, text.Printable(hub.Unlike))
		}
		if fit := slices.DeleteFunc(slices.Clone(found), func(s blocks.Spec) bool {
			return s.Stem == blocks.StemCaffe || s.Block == blocks.Bottleneck && s.StrideIn3x3 != hub.StrideIn3x3
		}); len(fit) > 0 {
			found = fit
		}
	}
	if len(found) == 1 {
		shapes := make(map[string][]int, len(f.Tensors))
		for _, t := range f.Tensors {
			shapes[t.Name] = t.Shape
		}
		return o.named(path, found[0].Name, shapes, f.Windows)
	}
	var b strings.Builder
	for _, s := range found {
		fmt.Fprintf(&b, "\n  --arch %-16s %s", s.Name, differs(s))
	}
	return blocks.Spec{}, config.Usagef("%s: its weights fit %d architectures, which differ in what has none; choose with --arch:%s", path, len(found), b.String())
}

// named is the architecture of that name for the tensors, if its windows are those of the file.
func (o ImportOptions) named(path, name string, shapes map[string][]int, windows map[string]weights.Window) (blocks.Spec, error) {
	s, err := blocks.ForTensors(name, shapes, o.Pad)
	if err != nil {
		return s, err
	}
	if o.Pad != "" && s.Shortcut != blocks.OptionA {
		return s, config.Usagef("import: --shortcut-pad is for option A, and %s is not of it", s.Name)
	}
	if wrong := misfit(s, windows); wrong != "" {
		return s, fmt.Errorf("%s: %w: %s", path, weights.ErrMismatch, wrong)
	}
	return s, nil
}

// misfit says which convolution or pooling of s has other windows than the file's, or "".
func misfit(s blocks.Spec, windows map[string]weights.Window) string {
	if len(windows) == 0 {
		return ""
	}
	sum, err := blocks.Summarize(s)
	if err != nil {
		return err.Error()
	}
	for _, l := range sum.Layers {
		theirs, ok := windows[l.Name]
		ours := l.Window
		if !ok {
			continue
		}
		// Windows that do not overlap are the same but for the border of odd sizes.
		rounds := theirs.Ceil != ours.Ceil && ours.Kernel != ours.Stride
		if theirs.Stride != ours.Stride || theirs.Pad != ours.Pad || ours.End != 0 || rounds {
			return fmt.Sprintf("%s has stride %d and padding %d%s in the file, and stride %d and padding %d%s in %s",
				l.Name, theirs.Stride, theirs.Pad, up(theirs.Ceil), ours.Stride, ours.Pad, up(ours.Ceil), s.Name)
		}
	}
	return ""
}

func up(ceil bool) string {
	if ceil {
		return ", rounded up,"
	}
	return ""
}

// noneFits says what the tensors show that no architecture has, and how they differ from the
// nearest one, if one is near.
func noneFits(path string, tensors []weights.Tensor, shapes map[string][]int) error {
	has := ""
	if unlike, known := blocks.Unlike(shapes); known {
		has = ", which have, as none here has in these sizes: " + strings.Join(unlike, "; ")
	} else if len(unlike) > 0 {
		has = ", which have what none here has: " + strings.Join(unlike, "; ")
	}
	family := blocks.FamilyOf(shapes)
	if near, ok := blocks.Nearest(shapes); ok && family == "" {
		params := graph.NewParamSet(0)
		if _, err := blocks.Build(near, 1, graph.Eval, params); err != nil {
			return err
		}
		return fmt.Errorf("no architecture has the tensors of this file%s; the nearest is %s, and beside it: %w", has, near.Name, mismatch(weights.LoadTensors(path, tensors, params), maxDifferences))
	}
	if family != "" {
		has += ": it is " + family
	}
	var some []string
	for _, t := range tensors[:min(len(tensors), 5)] {
		some = append(some, text.Printable(t.Name))
	}
	return fmt.Errorf("%s: %w: no architecture has its %s (%s, ...)%s: `resnet models list` shows those that there are, and --arch NAME lists where it differs",
		path, weights.ErrMismatch, text.Count(len(tensors), "tensor"), strings.Join(some, ", "), has)
}

// differs says what tells a candidate from others with the same tensors.
func differs(s blocks.Spec) string {
	what := "shortcuts of option " + string(s.Shortcut)
	if s.Shortcut == blocks.OptionA {
		what = "shortcuts of option A: identity, and zero channels (--shortcut-pad sides or end)"
	} else if s.Shortcut == blocks.None {
		what = "no shortcuts"
	}
	if s.Block == blocks.Bottleneck {
		what = "stride in the first 1x1 of a bottleneck, as in the paper"
		if s.StrideIn3x3 {
			what = "stride in the 3x3 of a bottleneck, as in torchvision and timm"
		}
	}
	if s.Stem == blocks.StemCaffe {
		what += ", and the first pooling without padding, as in the authors' Caffe networks"
	}
	return what
}

// maxDifferences is how many tensors of a kind a message lists of a network that nobody named.
const maxDifferences = 6

// wholeMismatch lists every tensor of a mismatch, each on a line.
func wholeMismatch(err error) error { return mismatch(err, math.MaxInt) }

// mismatch lists so many tensors of each kind, each on a line.
func mismatch(err error, most int) error {
	var m *weights.MismatchError
	if !errors.As(err, &m) {
		return err
	}
	var b strings.Builder
	for _, part := range []struct {
		title string
		list  []string
	}{{"missing from the file", m.Missing}, {"unexpected in the file", m.Unexpected}, {"of another shape or type", m.Different}} {
		if len(part.list) > 0 {
			fmt.Fprintf(&b, "\n  %d %s:", len(part.list), part.title)
			for _, name := range part.list[:min(len(part.list), most)] {
				fmt.Fprintf(&b, "\n    %s", text.Printable(name))
			}
			if more := len(part.list) - most; more > 0 {
				fmt.Fprintf(&b, "\n    and %d more (--arch NAME lists all)", more)
			}
		}
	}
	return fmt.Errorf("%s: %w%s", m.File, weights.ErrMismatch, b.String())
}
