package weights

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// inceptionColumn are our names of the columns of a module, by those of Caffe's GoogLeNet and of
// the BN-Inception after it.
var inceptionColumn = map[string]string{
	"1x1": "branch1", "3x3_reduce": "branch2.0", "3x3": "branch2.1", "5x5_reduce": "branch3.0", "5x5": "branch3.1",
	"double_3x3_reduce": "branch3.0", "double_3x3_1": "branch3.1", "double_3x3_2": "branch3.2", "pool_proj": "branch4.1",
}

// inceptionLayer are our names of the layers outside of modules.
var inceptionLayer = map[string]string{
	"conv1_7x7_s2": "conv1", "conv2_3x3_reduce": "conv2", "conv2_3x3": "conv3",
	"loss1_conv": "aux1.conv", "loss1_fc": "aux1.fc1", "loss1_classifier": "aux1.fc2",
	"loss2_conv": "aux2.conv", "loss2_fc": "aux2.fc1", "loss2_classifier": "aux2.fc2",
	"loss3_classifier": "fc", "last_linear": "fc", "fc": "fc", "classifier": "fc",
}

var inceptionModule = regexp.MustCompile(`^inception_(\d[a-z])_(.+)$`)

// inceptionName is our name of a layer of GoogLeNet or BN-Inception, or "".
func inceptionName(name string) string {
	if m := inceptionModule.FindStringSubmatch(name); m != nil {
		if column := inceptionColumn[m[2]]; column != "" {
			return "inception" + m[1] + "." + column
		}
	}
	return inceptionLayer[name]
}

// cadeneMean is what the published weights of BN-Inception in PyTorch subtract of red, green and
// blue.
var cadeneMean = []float32{128, 117, 104}

// isCadene reports whether tensors are named as in the BN-Inception of PyTorch's pretrained-models,
// which is translated from Caffe.
func isCadene(list []Tensor) bool {
	return slices.ContainsFunc(list, func(t Tensor) bool { return t.Name == "conv1_7x7_s2.weight" })
}

// cadeneNetwork gives them our names and folds the biases of convolutions away. Its input is
// Caffe's: blue, green, red, from 0 to 255.
func cadeneNetwork(list []Tensor) (Foreign, error) {
	f := Foreign{Program: "PyTorch", Tensors: make([]Tensor, 0, len(list)), Input: Input{Bytes: true, BGR: true, Mean: cadeneMean}}
	biases := map[string][]float32{}
	for _, t := range list {
		layer, part := t.Name[:strings.LastIndexByte(t.Name, '.')+1], t.Name[strings.LastIndexByte(t.Name, '.')+1:]
		layer = strings.TrimSuffix(layer, ".")
		conv, isNorm := strings.CutSuffix(layer, "_bn")
		ours := inceptionName(conv)
		switch {
		case ours == "":
		case isNorm:
			t.Name = ours + ".bn." + part
			if part == "running_mean" {
				t.Data = slices.Clone(t.Data)
			}
		case len(t.Shape) == 2 || ours == "fc":
			t.Name = ours + "." + part
		case part == "bias":
			biases[ours] = t.Data
			continue
		default:
			t.Name = ours + ".conv." + part
		}
		f.Tensors = append(f.Tensors, t)
	}
	for i, t := range f.Tensors {
		ours, ok := strings.CutSuffix(t.Name, ".bn.running_mean")
		bias := biases[ours]
		if !ok || bias == nil {
			continue
		}
		delete(biases, ours)
		if err := foldBias(f.Tensors[i].Data, bias); err != nil {
			return Foreign{}, fmt.Errorf("%s: %w", ours, err)
		}
	}
	for ours := range biases {
		return Foreign{}, fmt.Errorf("%s has a bias and no normalisation behind it", ours)
	}
	return f, nil
}
