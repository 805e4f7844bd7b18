package weights

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// wrbnCounts is the data set with the training frames of each class.
const wrbnCounts = "pdf_counts"

// wrbnEps is the ε of its normalisation. The port divides by σ + 1e-5 behind convolutions and by σ
// + 1e-8 elsewhere, the network here by sqrt(σ² + ε): with 1e-10 both are the same where σ is 0,
// and differ by 1e-5/σ of the value elsewhere.
const wrbnEps = 1e-10

var (
	wrbnBlock     = regexp.MustCompile(`^res(\d)/(a|b(\d))/(bn[12]|conv[12]|conv_ident)/(W|gamma|beta)$`)
	wrbnRecurrent = regexp.MustCompile(`^blstm/(\d+)/lstm_(fw|bw)/(W_x|W_h|gamma|beta)$`)
	wrbnParts     = map[string]string{"W": "weight", "gamma": "weight", "beta": "bias", "b": "bias"}
)

// wrbnNetwork makes a network of the data sets that the authors of the Wide Residual BLSTM Network
// published as best.nnet, by what their TensorFlow port does with each: Chainer's names, and the
// four gates of a recurrent layer taken in turn from its columns.
func wrbnNetwork(list []Tensor) (Foreign, error) {
	if !slices.ContainsFunc(list, func(t Tensor) bool { return t.Name == "pooler/W" }) {
		return Foreign{}, fmt.Errorf("its %d data sets are not those of the WRBN's best.nnet (conv1/W, res1/a/bn1/gamma, pooler/W, ...), and no other network is read from HDF5", len(list))
	}
	f := Foreign{Program: "Chainer", Eps: wrbnEps}
	for _, t := range list {
		if t.Name == wrbnCounts {
			for _, v := range t.Data {
				f.ClassCounts = append(f.ClassCounts, int64(v))
			}
			continue
		}
		theirs := t.Name
		t, err := wrbnTensor(t)
		if err != nil {
			return Foreign{}, fmt.Errorf("%s: %w", theirs, err)
		}
		f.Tensors = append(f.Tensors, t)
	}
	return f, nil
}

// wrbnTensor gives a tensor our name and layout; one that is not known keeps its own.
func wrbnTensor(t Tensor) (Tensor, error) {
	if m := wrbnBlock.FindStringSubmatch(t.Name); m != nil {
		place := "0"
		if m[3] != "" {
			place = m[3]
		}
		part := m[4]
		if part == "conv_ident" {
			part = "downsample"
		}
		t.Name = fmt.Sprintf("layer%s.%s.%s.%s", m[1], place, part, wrbnParts[m[5]])
		return t, nil
	}
	if m := wrbnRecurrent.FindStringSubmatch(t.Name); m != nil {
		layer := "blstm." + m[1] + "." + map[string]string{"fw": "forward", "bw": "backward"}[m[2]]
		t, err := gatesInTurn(t)
		if err != nil {
			return t, err
		}
		switch m[3] {
		case "W_x":
			t, err = asPointwise(layer+".input.weight", t)
		case "W_h":
			t, err = asPointwise(layer+".hidden.weight", t)
			t.Shape = t.Shape[:min(2, len(t.Shape))]
		default:
			t.Name = layer + ".bn." + wrbnParts[m[3]]
		}
		return t, err
	}
	layer, part, _ := strings.Cut(t.Name, "/")
	switch {
	case layer == "conv1" || layer == "bn":
		t.Name = layer + "." + wrbnParts[part]
	case t.Name == "pooler/W":
		// Rows are outputs, of which the first is used.
		if len(t.Shape) == 2 && t.Shape[0] > 0 {
			t.Data = t.Data[:t.Shape[1]]
		}
		t.Name, t.Shape = "pooler.weight", []int{len(t.Data)}
	case t.Name == "pooler/b" && len(t.Data) > 0:
		t.Name, t.Shape, t.Data = "pooler.bias", []int{1}, t.Data[:1]
	case t.Name == "classifier/0/W":
		return asPointwise("classifier.0.weight", t)
	case t.Name == "classifier/1/W":
		return asPointwise("classifier.1.weight", t)
	case t.Name == "classifier/0/gamma" || t.Name == "classifier/0/beta":
		t.Name = "classifier.bn." + wrbnParts[strings.TrimPrefix(t.Name, "classifier/0/")]
	case t.Name == "classifier/1/b":
		t.Name = "classifier.1.bias"
	}
	return t, nil
}

// asPointwise makes the weights of a 1x1 convolution [out, in, 1, 1] of a matrix [in, out].
func asPointwise(name string, t Tensor) (Tensor, error) {
	if len(t.Shape) != 2 {
		return t, fmt.Errorf("shape %v, want a matrix", t.Shape)
	}
	in, out := t.Shape[0], t.Shape[1]
	data := make([]float32, len(t.Data))
	for i := range in {
		for o := range out {
			data[o*in+i] = t.Data[i*out+o]
		}
	}
	return Tensor{Name: name, DType: F32, Shape: []int{out, in, 1, 1}, Data: data}, nil
}

// gatesInTurn puts the columns of a recurrent layer in the order of its gates: Chainer has the
// first of each of the four gates, then the second of each.
func gatesInTurn(t Tensor) (Tensor, error) {
	if len(t.Shape) == 0 || t.Shape[len(t.Shape)-1]%4 != 0 {
		return t, fmt.Errorf("shape %v, want columns for four gates", t.Shape)
	}
	columns := t.Shape[len(t.Shape)-1]
	data := make([]float32, 0, len(t.Data))
	for at := 0; at < len(t.Data); at += columns {
		for gate := range 4 {
			for i := gate; i < columns; i += 4 {
				data = append(data, t.Data[at+i])
			}
		}
	}
	t.Data = data
	return t, nil
}
