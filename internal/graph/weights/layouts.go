package weights

import (
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

// TorchvisionNames renames tensors of common PyTorch layouts to torchvision's, which are ours, and
// leaves out the counters of batches: wrappers' prefixes (module., _orig_mod., and model. where
// every tensor has it) go; linear becomes fc, shortcut.0 downsample.0. The slice is new, the values
// are shared.
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
		for _, r := range renames {
			if rest, ok := strings.CutPrefix(list[i].Name, r.theirs); ok {
				list[i].Name = r.ours + rest
			} else if before, after, ok := strings.Cut(list[i].Name, "."+r.theirs); ok {
				list[i].Name = before + "." + r.ours + after
			}
		}
	}
	return list
}
