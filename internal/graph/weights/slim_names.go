package weights

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// slimRoot begins the names of TF-slim's Inception v2, which is Google's BN-Inception.
const slimRoot = "InceptionV2/"

// slimModules are our names of its modules: it counts a halving module to the stage behind it.
var slimModules = map[string]string{
	"Mixed_3b": "3a", "Mixed_3c": "3b", "Mixed_4a": "3c", "Mixed_4b": "4a", "Mixed_4c": "4b", "Mixed_4d": "4c", "Mixed_4e": "4d",
	"Mixed_5a": "4e", "Mixed_5b": "5a", "Mixed_5c": "5b",
}

// slimColumns are our names of a module's convolutions; slimHalving those of a module that halves
// the map, which has no column of 1x1 before the others.
var (
	slimColumns = map[string]string{
		"Branch_0/Conv2d_0a_1x1": "branch1", "Branch_1/Conv2d_0a_1x1": "branch2.0", "Branch_1/Conv2d_0b_3x3": "branch2.1",
		"Branch_2/Conv2d_0a_1x1": "branch3.0", "Branch_2/Conv2d_0b_3x3": "branch3.1", "Branch_2/Conv2d_0c_3x3": "branch3.2",
		"Branch_3/Conv2d_0b_1x1": "branch4.1",
	}
	slimHalving = map[string]string{
		"Branch_0/Conv2d_0a_1x1": "branch2.0", "Branch_0/Conv2d_1a_3x3": "branch2.1",
		"Branch_1/Conv2d_0a_1x1": "branch3.0", "Branch_1/Conv2d_0b_3x3": "branch3.1", "Branch_1/Conv2d_1a_3x3": "branch3.2",
	}
	slimLayers = map[string]string{
		"Conv2d_1a_7x7": "conv1", "Conv2d_2b_1x1": "conv2", "Conv2d_2c_3x3": "conv3", "Logits/Conv2d_1c_1x1": "fc",
	}
	slimModule = regexp.MustCompile(`^(Mixed_\d[a-z])/(.+)$`)
	slimParts  = map[string]string{"beta": "bias", "gamma": "weight", "moving_mean": "running_mean", "moving_variance": "running_var"}
)

// isSlim reports whether tensors are those of TF-slim's Inception v2 under its own names, with
// points for slashes or not.
func isSlim(list []Tensor) bool {
	return slices.ContainsFunc(list, func(t Tensor) bool { return strings.HasPrefix(slimPath(t.Name), slimRoot) })
}

func slimPath(name string) string {
	return strings.TrimSuffix(strings.ReplaceAll(name, ".", "/"), ":0")
}

// slimLayer is our name of a layer, or "".
func slimLayer(path string) string {
	if m := slimModule.FindStringSubmatch(path); m != nil {
		module, columns := slimModules[m[1]], slimColumns
		if m[1] == "Mixed_4a" || m[1] == "Mixed_5a" {
			columns = slimHalving
		}
		if column := columns[m[2]]; module != "" && column != "" {
			return "inception" + module + "." + column
		}
		return ""
	}
	return slimLayers[path]
}

// slimNetwork gives tensors of TF-slim our names and layouts: [R, S, C, K] becomes [K, C, R, S].
// Its first convolution is separable, a filter of each colour and then a sum over them, with
// nothing between: multiplied out it is an ordinary one. A normalisation behind it, which programs
// around TF-slim have put there, is multiplied in as well. Normalisation has no γ, which is 1. What
// belongs to training (moments of the optimiser, averages, the step) is left out.
func slimNetwork(list []Tensor) (Foreign, error) {
	f := Foreign{Program: "TensorFlow", Eps: 0.001, Input: Input{Half: true}}
	var first slimFirst
	norms, gammas := map[string]int{}, map[string]bool{}
	for _, t := range list {
		path, isNet := strings.CutPrefix(slimPath(t.Name), slimRoot)
		cut := strings.LastIndexByte(path, '/')
		if !isNet || cut < 0 {
			continue
		}
		layer, part := path[:cut], path[cut+1:]
		layer, isNorm := strings.CutSuffix(layer, "/BatchNorm")
		ours := slimLayer(layer)
		switch {
		case part == "ExponentialMovingAverage" || part == "Momentum" || strings.HasPrefix(part, "RMSProp"):
			continue
		case ours == "":
			t.Name = path
		case ours == "conv1" && first.take(t, part):
			continue
		case isNorm && slimParts[part] != "":
			t.Name = ours + ".bn." + slimParts[part]
			gammas[ours] = gammas[ours] || part == "gamma"
			norms[ours] = len(t.Data)
		case part == "biases":
			t.Name = ours + ".bias"
		case part == "weights":
			var err error
			if t, err = fromHWIO(t); err != nil {
				return Foreign{}, err
			}
			t.Name = ours + ".conv.weight"
			if ours == "fc" {
				t.Name, t.Shape = "fc.weight", t.Shape[:2]
			}
		}
		f.Tensors = append(f.Tensors, t)
	}
	added, err := first.tensors(f.Eps)
	if err != nil {
		return Foreign{}, err
	}
	f.Tensors = append(f.Tensors, added...)
	for _, t := range f.Tensors {
		ours, ok := strings.CutSuffix(t.Name, ".bn.bias")
		if ok && !gammas[ours] {
			f.vector(ours+".bn.weight", slices.Repeat([]float32{1}, norms[ours]))
		}
	}
	return f, nil
}

// fromHWIO makes [K, C, R, S] of TensorFlow's [R, S, C, K].
func fromHWIO(t Tensor) (Tensor, error) {
	if len(t.Shape) != 4 || len(t.Data) != t.Shape[0]*t.Shape[1]*t.Shape[2]*t.Shape[3] {
		return t, fmt.Errorf("%s: shape %v, want the weights of a convolution", t.Name, t.Shape)
	}
	area, c, k := t.Shape[0]*t.Shape[1], t.Shape[2], t.Shape[3]
	data := make([]float32, len(t.Data))
	for i := range area {
		for j := range c {
			for o := range k {
				data[(o*c+j)*area+i] = t.Data[(i*c+j)*k+o]
			}
		}
	}
	t.Shape, t.Data = []int{k, c, t.Shape[0], t.Shape[1]}, data
	return t, nil
}
