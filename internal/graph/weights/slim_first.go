package weights

import (
	"fmt"
	"math"
)

// slimFirst is the first convolution of TF-slim's Inception v2, by the last parts of its names.
type slimFirst map[string]Tensor

// take keeps a part of the convolution; false is none.
func (s *slimFirst) take(t Tensor, part string) bool {
	switch part {
	case "depthwise_weights", "pointwise_weights", "weights", "biases", "beta", "gamma", "moving_mean", "moving_variance":
		if *s == nil {
			*s = slimFirst{}
		}
		(*s)[part] = t
		return true
	}
	return false
}

// tensors are the weights and biases of the ordinary convolution that it is.
func (s slimFirst) tensors(eps float64) ([]Tensor, error) {
	var w Tensor
	var err error
	if plain, ok := s["weights"]; ok { // of a network that was built without the separable one
		w, err = fromHWIO(plain)
		w.Name = "conv1.weight"
	} else if _, ok := s["depthwise_weights"]; ok {
		w, err = separable(s["depthwise_weights"], s["pointwise_weights"])
	} else {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	filters := w.Shape[0]
	vector := func(part string, otherwise float64) (v []float64, err error) {
		t, ok := s[part]
		if ok && len(t.Data) != filters {
			return nil, fmt.Errorf("conv1: %s of %d values, and %d filters", part, len(t.Data), filters)
		}
		v = make([]float64, filters)
		for i := range v {
			if v[i] = otherwise; ok {
				v[i] = float64(t.Data[i])
			}
		}
		return v, nil
	}
	parts := map[string][]float64{}
	for part, otherwise := range map[string]float64{"biases": 0, "beta": 0, "gamma": 1, "moving_mean": 0, "moving_variance": 1 - eps} {
		if parts[part], err = vector(part, otherwise); err != nil {
			return nil, err
		}
	}
	bias := make([]float32, filters)
	area := len(w.Data) / max(filters, 1)
	for k := range filters {
		factor := parts["gamma"][k] / math.Sqrt(parts["moving_variance"][k]+eps)
		if factor != 1 {
			for i := range area {
				w.Data[k*area+i] = float32(float64(w.Data[k*area+i]) * factor)
			}
		}
		bias[k] = float32((parts["biases"][k]-parts["moving_mean"][k])*factor + parts["beta"][k])
	}
	return []Tensor{w, {Name: "conv1.bias", DType: F32, Shape: []int{filters}, Data: bias}}, nil
}

// maxSeparable is how many times the values that it has a separable convolution may be multiplied
// out to; TF-slim's has 3.5 times as many then.
const maxSeparable = 16

// separable multiplies out a separable convolution: filters [R, S, C, M] of each channel, and their
// sum [1, 1, C·M, K], give weights [K, C, R, S].
func separable(depthwise, pointwise Tensor) (Tensor, error) {
	d, p := depthwise.Shape, pointwise.Shape
	fail := fmt.Errorf("conv1: a separable convolution of shapes %v and %v", d, p)
	if len(d) != 4 || len(p) != 4 || len(depthwise.Data) == 0 || len(pointwise.Data) == 0 || p[0]*p[1] != 1 || p[2] != d[2]*d[3] {
		return Tensor{}, fail
	}
	area, c, m, k := d[0]*d[1], d[2], d[3], p[3]
	if k > maxSeparable*(len(depthwise.Data)+len(pointwise.Data))/(c*area) {
		return Tensor{}, fail
	}
	t := Tensor{Name: "conv1.weight", DType: F32, Shape: []int{k, c, d[0], d[1]}, Data: make([]float32, k*c*area)}
	for o := range k {
		for j := range c {
			for i := range area {
				sum := 0.0
				for n := range m {
					sum += float64(depthwise.Data[(i*c+j)*m+n]) * float64(pointwise.Data[(j*m+n)*k+o])
				}
				t.Data[(o*c+j)*area+i] = float32(sum)
			}
		}
	}
	return t, nil
}
