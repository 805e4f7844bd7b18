package weights

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// renames are parts of names that other programs use for what is torchvision's on the right. They
// apply from the beginning of a name or after a point.
var renames = []struct{ theirs, ours string }{
	{"linear.", "fc."},                  // CIFAR nets of akamaster and kuangliu
	{"shortcut.0.", "downsample.0."},    // the same, options B and C
	{"shortcut.1.", "downsample.1."},    //
	{"shortcut.conv.", "downsample.0."}, //
	{"shortcut.bn.", "downsample.1."},   //
}

// patterns are names of Hugging Face's ResNets, whose stages and layers count from 0, from the
// beginning of a name or after a point.
var patterns = []struct {
	theirs *regexp.Regexp
	ours   func(m []string) string
}{
	{regexp.MustCompile(`(^|\.)embedder\.embedder\.(convolution|normalization)\.`), func(m []string) string {
		return m[1] + hubPart[m[2]] + "1."
	}},
	{regexp.MustCompile(`(^|\.)encoder\.stages\.(\d{1,4})\.layers\.(\d{1,4})\.layer\.(\d{1,4})\.(convolution|normalization)\.`), func(m []string) string {
		return m[1] + "layer" + next(m[2]) + "." + m[3] + "." + hubPart[m[5]] + next(m[4]) + "."
	}},
	{regexp.MustCompile(`(^|\.)encoder\.stages\.(\d{1,4})\.layers\.(\d{1,4})\.shortcut\.(convolution|normalization)\.`), func(m []string) string {
		return m[1] + "layer" + next(m[2]) + "." + m[3] + ".downsample." + map[string]string{"convolution": "0.", "normalization": "1."}[m[4]]
	}},
}

var hubPart = map[string]string{"convolution": "conv", "normalization": "bn"}

// next is the number after that of a text of digits.
func next(digits string) string {
	n, _ := strconv.Atoi(digits)
	return strconv.Itoa(n + 1)
}

// wrapperParts are parts of names that PyTorch's wrappers put between others.
var wrapperParts = []string{"_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"}

// TorchvisionName is a tensor's name in torchvision's layout, which is ours: wrappers' parts go
// (module. in front, _orig_mod. and the like everywhere), and the names of common PyTorch layouts
// are mapped, whatever else stands before them: linear becomes fc, shortcut.0 downsample.0.
func TorchvisionName(name string) string {
	if strings.Contains(name, "_") {
		name = strings.Join(slices.DeleteFunc(strings.Split(name, "."), func(part string) bool { return slices.Contains(wrapperParts, part) }), ".")
	}
	name = plainName(name)
	for _, p := range patterns {
		if m := p.theirs.FindStringSubmatchIndex(name); m != nil {
			parts := p.theirs.FindStringSubmatch(name)
			name = name[:m[0]] + p.ours(parts) + name[m[1]:]
		}
	}
	for _, r := range renames {
		if rest, ok := strings.CutPrefix(name, r.theirs); ok {
			name = r.ours + rest
		} else if before, after, ok := strings.Cut(name, "."+r.theirs); ok {
			name = before + "." + r.ours + after
		}
	}
	return name
}

// OurNames are the names of a set of tensors in our layout, one for each: see TorchvisionName;
// names of the schemes and of layers in a Sequential become ours, too. What stands before the
// network's names stays.
func OurNames(tensors []Tensor) []string {
	list := slices.Clone(tensors)
	for i, t := range list {
		list[i].Name = TorchvisionName(t.Name)
	}
	list, _ = withOurNames(list)
	names := make([]string, len(list))
	for i, t := range list {
		names[i] = t.Name
	}
	return names
}

// TorchvisionNames gives tensors the names of TorchvisionName, without a prefix that all have
// (model., net., backbone.), and leaves out counters. The slice is new, the values are shared.
func TorchvisionNames(tensors []Tensor) []Tensor {
	list := make([]Tensor, 0, len(tensors))
	for _, t := range tensors {
		t.Name = plainName(t.Name)
		if !IsCounter(t.Name) {
			list = append(list, t)
		}
	}
	for _, prefix := range []string{"model.", "net.", "backbone."} {
		all := len(list) > 0
		for _, t := range list {
			all = all && strings.HasPrefix(t.Name, prefix)
		}
		for i := range list {
			if all {
				list[i].Name = plainName(strings.TrimPrefix(list[i].Name, prefix))
			}
		}
	}
	for i := range list {
		list[i].Name = TorchvisionName(list[i].Name)
	}
	return list
}
