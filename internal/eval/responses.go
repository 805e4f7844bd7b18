package eval

import (
	"fmt"
	"math"
	"strings"

	"resnet/internal/blocks"
)

// A Response is the strength of a layer's signal: the standard deviation of its output after batch
// normalisation, before ReLU and addition.
type Response struct {
	Layer string  `json:"layer"`
	Std   float64 `json:"std"`
}

// Responses are those of each 3×3 convolution, in forward order: the paper's Fig. 7. In training,
// batch normalisation gives channel c the mean β_c and the variance γ_c²·v_c/(v_c+ε) whatever its
// input, v_c being the variance of the input. So the standard deviation over all values of the
// layer follows from the checkpoint, without an image: the root of the mean of those variances plus
// the variance of the β_c. The running variance stands for v_c, which only matters where it is as
// small as ε.
func (m *Model) Responses() ([]Response, error) {
	sum, err := blocks.Summarize(m.Spec)
	if err != nil {
		return nil, err
	}
	kernels := map[string]string{} // of convolutions, by name
	var list []Response
	for _, l := range sum.Layers {
		switch {
		case l.Type == "conv":
			kernels[l.Name] = l.Detail
		case l.Type == "bn" && len(l.Inputs) == 1 && strings.HasPrefix(kernels[l.Inputs[0]], "3x3"):
			std, err := m.response(l.Name)
			if err != nil {
				return nil, err
			}
			list = append(list, Response{l.Name, std})
		}
	}
	return list, nil
}

func (m *Model) response(bn string) (float64, error) {
	gamma, beta, v := m.Params.Get(bn+".weight"), m.Params.Get(bn+".bias"), m.Params.Get(bn+".running_var")
	if gamma == nil || beta == nil || v == nil {
		return 0, fmt.Errorf("%s: %w: no parameters of %s", m.Path, ErrModel, bn)
	}
	var within, mean, square float64
	n := float64(len(gamma.Data))
	for c := range gamma.Data {
		g, b, x := float64(gamma.Data[c]), float64(beta.Data[c]), float64(v.Data[c])
		within += g * g * x / (x + m.Spec.BNEps) / n
		mean += b / n
		square += b * b / n
	}
	return math.Sqrt(within + max(0, square-mean*mean)), nil
}
