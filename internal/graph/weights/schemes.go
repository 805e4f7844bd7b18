package weights

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A scheme is how a published implementation of residual networks names its tensors, where that is
// not torchvision's. Rules are pairs of beginnings of names, theirs and ours, from the beginning of
// a name or after a point; what follows is the same. {s} and {b} are numbers, {s+1} is one more.
// Files are read after TorchvisionNames, which has changed shortcut.0 already.
type scheme struct {
	name  string
	mark  *regexp.Regexp // of a name that no other scheme has; nil of one that files need not show
	rules []rule
}

type rule struct{ theirs, ours string }

// schemes are those that files are read in and written in.
var schemes = []scheme{
	{"kuangliu", nil, []rule{
		{"linear.", "fc."}, {"layer{s}.{b}.shortcut.", "layer{s}.{b}.downsample."},
	}},
	{"weiaicunzai", regexp.MustCompile(`(^|\.)conv2_x\.\d+\.`), []rule{
		{"conv1.0.", "conv1."},
		{"conv1.1.", "bn1."},
		{"conv{s+1}_x.{b}.residual_function.0.", "layer{s}.{b}.conv1."},
		{"conv{s+1}_x.{b}.residual_function.1.", "layer{s}.{b}.bn1."},
		{"conv{s+1}_x.{b}.residual_function.3.", "layer{s}.{b}.conv2."},
		{"conv{s+1}_x.{b}.residual_function.4.", "layer{s}.{b}.bn2."},
		{"conv{s+1}_x.{b}.residual_function.6.", "layer{s}.{b}.conv3."},
		{"conv{s+1}_x.{b}.residual_function.7.", "layer{s}.{b}.bn3."},
		{"conv{s+1}_x.{b}.shortcut.", "layer{s}.{b}.downsample."},
		{"conv{s+1}_x.{b}.downsample.", "layer{s}.{b}.downsample."},
	}},
	// WRN in PyTorch by xternalz, and by its authors, who have no names for a convolution's parts.
	{"xternalz", regexp.MustCompile(`(^|\.)block1\.layer\.\d+\.`), []rule{
		{"block{s}.layer.{b}.convShortcut.", "layer{s}.{b}.downsample.0."}, {"block{s}.layer.{b}.", "layer{s}.{b}."},
	}},
	{"szagoruyko", regexp.MustCompile(`(^|\.)group0\.block0\.`), []rule{
		{"conv0", "conv1.weight"},
		{"bn.", "bn1."},
		{"group{s-1}.block{b}.convdim", "layer{s}.{b}.downsample.0.weight"},
		{"group{s-1}.block{b}.conv{c-1}", "layer{s}.{b}.conv{c}.weight"},
		{"group{s-1}.block{b}.bn{c-1}.", "layer{s}.{b}.bn{c}."},
	}},
	// Squeeze-and-excitation networks of pretrained-models and timm's legacy ones, from Caffe.
	{"cadene", regexp.MustCompile(`(^|\.)layer0\.conv1\.`), []rule{
		{"layer0.conv1.", "conv1."}, {"layer0.bn1.", "bn1."}, {"last_linear.", "fc."}, {"layer{s}.{b}.se_module.", "layer{s}.{b}.se."},
	}},
}

// Schemes are the names that a file can be written with: torchvision's, and those of other programs
// for their own networks.
func Schemes() []string {
	names := []string{"torchvision"}
	for _, s := range schemes {
		names = append(names, s.name)
	}
	return names
}

// SchemeOf is the scheme that a file's names show, or "".
func SchemeOf(names []string) string {
	for _, s := range schemes {
		if s.mark != nil && slices.ContainsFunc(names, s.mark.MatchString) {
			return s.name
		}
	}
	return ""
}

// FromScheme gives a name of a scheme as ours; ToScheme is the reverse. Names that no rule knows
// stay.
func FromScheme(scheme, name string) string { return translate(scheme, name, true) }

// ToScheme gives our name in a scheme.
func ToScheme(scheme, name string) string { return translate(scheme, name, false) }

func translate(scheme, name string, toOurs bool) string {
	for _, s := range schemes {
		if s.name != scheme {
			continue
		}
		for _, r := range s.rules {
			from, to := r.theirs, r.ours
			if !toOurs {
				from, to = to, from
			}
			if out, ok := replace(name, from, to); ok {
				return out
			}
		}
	}
	return name
}

var placeholder = regexp.MustCompile(`\{([a-z])([+-]1)?\}`)

// replace changes a name that has from at its beginning or behind a point to one with to there. A
// pattern that does not end with a point is the rest of the name.
func replace(name, from, to string) (string, bool) {
	var vars []string
	offset := map[string]int{}
	pattern, at := `(^|\.)`, 0
	if !strings.Contains(from, "{") {
		pattern = `(^|[^\d.]\.)` // not that of a block, which stands behind its number
	}
	for _, m := range placeholder.FindAllStringSubmatchIndex(from, -1) {
		v := from[m[2]:m[3]]
		if m[4] >= 0 {
			offset[v], _ = strconv.Atoi(from[m[4]:m[5]])
		}
		vars = append(vars, v)
		pattern += regexp.QuoteMeta(from[at:m[0]]) + `(\d{1,4})`
		at = m[1]
	}
	if pattern += regexp.QuoteMeta(from[at:]); !strings.HasSuffix(from, ".") {
		pattern += "$"
	}
	found := regexp.MustCompile(pattern).FindStringSubmatchIndex(name)
	if found == nil {
		return name, false
	}
	values := map[string]int{}
	for i, v := range vars {
		n, _ := strconv.Atoi(name[found[4+2*i]:found[5+2*i]])
		values[v] = n - offset[v]
	}
	middle := placeholder.ReplaceAllStringFunc(to, func(p string) string {
		m := placeholder.FindStringSubmatch(p)
		n, _ := strconv.Atoi(m[2])
		return fmt.Sprint(values[m[1]] + n)
	})
	return name[:found[3]] + middle + name[found[1]:], true
}

// withOurNames are tensors whose names are those of a scheme or of a Sequential, with ours, and the
// scheme, or ""; the slice is new where names change.
func withOurNames(list []Tensor) ([]Tensor, string) {
	names := make([]string, len(list))
	for i, t := range list {
		names[i] = t.Name
	}
	of, numbered := SchemeOf(names), sequentialNames(list)
	if of == "" && len(numbered) == 0 {
		return list, ""
	}
	list = slices.Clone(list)
	for i, t := range list {
		if layer := layerName(t.Name, numbered); layer != "" {
			list[i].Name = numbered[layer] + t.Name[len(layer):]
		} else if of != "" {
			list[i].Name = FromScheme(of, t.Name)
		}
	}
	return list, of
}
