package eval

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"resnet/internal/blocks"
)

// ResponsesFile is the file with the layer responses of a comparison's networks.
const ResponsesFile = "responses.csv"

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

// responseFigure draws the responses of each network against the layer, the first run of each.
// Plain networks are dashed, as in the paper.
func responseFigure(runs []Compared) Figure {
	f := Figure{ID: "responses", Title: "Layer responses", X: "layer", Y: "standard deviation", Digits: 3,
		Note: "Standard deviation of each 3×3 layer's output after batch normalisation, before ReLU and addition (the paper's Fig. 7), from the checkpoint of each network's first run. " +
			"Left in the order of the layers, right sorted by size.",
		Panels: []Panel{{Title: "in order"}, {Title: "sorted"}}}
	var groups []string
	for _, r := range runs {
		if r.Net.Responses == nil || slices.Contains(groups, r.Net.Model) {
			continue
		}
		groups = append(groups, r.Net.Model)
		line := Line{Name: Printable(r.Net.Model), Group: Printable(r.Net.Model), Color: len(groups) - 1, Marker: len(groups) - 1, Width: 1.2, Dashed: r.Net.Kind == KindPlain}
		sorted := line
		values := make([]float64, len(r.Net.Responses))
		for i, x := range r.Net.Responses {
			values[i] = x.Std
			line.Points = append(line.Points, [2]float64{float64(i + 1), x.Std})
		}
		slices.SortFunc(values, func(a, b float64) int { return -int(math.Copysign(1, a-b)) })
		for i, x := range values {
			sorted.Points = append(sorted.Points, [2]float64{float64(i + 1), x})
		}
		f.Panels[0].Lines, f.Panels[1].Lines = append(f.Panels[0].Lines, line), append(f.Panels[1].Lines, sorted)
	}
	f.fit(math.Inf(1)) // the largest responses are what is looked for: nothing is cut off
	return f
}

func writeResponses(w io.Writer, runs []Compared) error {
	c := csv.NewWriter(w)
	if err := c.Write([]string{"run", "index", "layer", "std"}); err != nil {
		return err
	}
	for _, r := range runs {
		for i, x := range r.Net.Responses {
			if err := c.Write([]string{csvText(r.Name), strconv.Itoa(i + 1), csvText(x.Layer), strconv.FormatFloat(x.Std, 'g', 9, 64)}); err != nil {
				return err
			}
		}
	}
	c.Flush()
	return c.Error()
}
