package eval

import (
	"fmt"

	"resnet/internal/blocks"
)

// ActivationMap tells where on an image a network of global average pooling sees a class (Zhou et
// al. 2016, "Learning deep features for discriminative localization"): at each position of the last
// map, the classifier's weights of the class times the map's channels. Its mean and the class's
// bias add up to the logit. maps is what the form Maps gives of a view, [C, n, n]; the result is
// [n, n]. It fails with blocks.ErrSpec for another network or class.
func (m *Model) ActivationMap(maps []float32, class int) (cam []float32, n int, err error) {
	w := m.Params.Get(m.Spec.Head() + ".weight")
	if w == nil || len(w.Shape) != 2 || class < 0 || class >= w.Shape[0] || len(maps)%w.Shape[1] != 0 {
		return nil, 0, fmt.Errorf("%s: %w: there is no activation map of class %d", m.Path, blocks.ErrSpec, class)
	}
	channels := w.Shape[1]
	area := len(maps) / channels
	for n*n < area {
		n++
	}
	if n*n != area {
		return nil, 0, fmt.Errorf("%s: %w: maps of %d values are not square", m.Path, blocks.ErrSpec, area)
	}
	sums := make([]float64, area)
	for c, weight := range w.Data[class*channels : (class+1)*channels] {
		for i, v := range maps[c*area : (c+1)*area] {
			sums[i] += float64(weight) * float64(v)
		}
	}
	cam = make([]float32, area)
	for i, s := range sums {
		cam[i] = float32(s)
	}
	return cam, n, nil
}
