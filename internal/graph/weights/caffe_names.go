package weights

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// caffeBlock is a convolution of a residual block in the authors' networks: stage, block (b, or b1
// where there are more than letters), branch.
var caffeBlock = regexp.MustCompile(`^res(\d+)([a-z])(\d*)_branch(1|2[a-c])$`)

// caffeNormalised is the layer that a normalisation belongs to by its name: bn2a_branch1 and
// scale2a_branch1 to res2a_branch1, bn_conv1 to conv1; conv2/3x3/bn and conv2/3x3_bn_scale to
// conv2/3x3.
func caffeNormalised(name string) string {
	for _, prefix := range []string{"bn", "scale"} {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			if rest, ok := strings.CutPrefix(rest, "_"); ok {
				return rest
			}
			return "res" + rest
		}
	}
	for {
		i := strings.LastIndexAny(name, "/_")
		if i < 0 || name[i+1:] != "bn" && name[i+1:] != "scale" && name[i+1:] != "sc" {
			return name
		}
		name = name[:i]
	}
}

// caffePooling is our name of a pooling whose windows tell networks apart, or "".
func caffePooling(name string) string {
	if name == "pool1" {
		return "maxpool"
	}
	return ""
}

// caffeNames gives our names of a unit's convolution and normalisation: of the residual networks of
// He et al., the networks of Simonyan and Zisserman, and those that are named as GoogLeNet is. A
// name that is not known stays.
func caffeNames(units []*caffeUnit) func(*caffeUnit) (conv, norm string) {
	vgg := vggNames(units)
	return func(u *caffeUnit) (conv, norm string) {
		name := u.layer.name
		if ours := vgg[name]; ours != "" {
			return ours, ours + ".bn"
		}
		if name == "conv1" {
			return "conv1", "bn1"
		}
		if m := caffeBlock.FindStringSubmatch(name); m != nil {
			return residualNames(m)
		}
		if u.layer.kind == "InnerProduct" && strings.HasPrefix(name, "fc") && vgg == nil {
			return "fc", ""
		}
		if ours := inceptionName(strings.ReplaceAll(name, "/", "_")); ours != "" {
			if u.normalised == "" {
				return ours, ""
			}
			return ours + ".conv", ours + ".bn"
		}
		return name, name + ".bn"
	}
}

// residualNames are those of what caffeBlock found.
func residualNames(m []string) (conv, norm string) {
	stage, _ := strconv.Atoi(m[1])
	place := int(m[2][0] - 'a')
	if m[3] != "" {
		place, _ = strconv.Atoi(m[3])
	}
	block := fmt.Sprintf("layer%d.%d.", stage-1, place)
	if m[4] == "1" {
		return block + "downsample.0", block + "downsample.1"
	}
	n := m[4][1] - 'a' + 1
	return fmt.Sprintf("%sconv%d", block, n), fmt.Sprintf("%sbn%d", block, n)
}

var (
	vggConv = regexp.MustCompile(`^conv(\d)_\d$`)
	vggFC   = map[string]string{"fc6": "classifier.0", "fc7": "classifier.3", "fc8": "classifier.6"}
)

// vggNames are the names of VGG's layers, or nil where there are none: torchvision numbers its
// convolutions, rectifiers and poolings through.
func vggNames(units []*caffeUnit) map[string]string {
	names := map[string]string{}
	at, stage := 0, "1"
	for _, u := range units {
		m := vggConv.FindStringSubmatch(u.layer.name)
		if m == nil {
			if ours := vggFC[u.layer.name]; ours != "" {
				names[u.layer.name] = ours
			}
			continue
		}
		if m[1] != stage {
			at, stage = at+1, m[1] // a pooling between the stages
		}
		names[u.layer.name] = fmt.Sprintf("features.%d", at)
		at += 2
	}
	if at == 0 {
		return nil
	}
	return names
}
