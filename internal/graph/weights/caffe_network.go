package weights

import (
	"fmt"
	"io"
	"slices"
)

// A caffeUnit is a convolution or fully connected layer with the normalisation behind it, which
// Caffe holds in two layers more: BatchNorm (mean, variance and a number that divides both) and
// Scale (γ, and β or nothing).
type caffeUnit struct {
	layer              caffeLayer
	mean, variance     []float32
	scale, shift       []float32
	normalised, scaled string // the layers that did
}

// caffeNetwork makes a network of layers. Windows of what is not square, groups and dilations are
// refused: no row has them.
func caffeNetwork(r io.ReaderAt, spans []caffeSpan) (Foreign, error) {
	layers, err := readCaffe(r, spans)
	if err != nil {
		return Foreign{}, err
	}
	f := Foreign{Program: "Caffe", Windows: map[string]Window{}, Input: Input{Bytes: true, BGR: true}}
	units, err := f.caffeUnits(layers)
	if err != nil {
		return Foreign{}, err
	}
	names := caffeNames(units)
	for _, u := range units {
		conv, norm := names(u)
		if err := f.addUnit(u, conv, norm); err != nil {
			return Foreign{}, fmt.Errorf("layer %q: %w", u.layer.name, err)
		}
	}
	if len(f.Tensors) == 0 {
		return Foreign{}, fmt.Errorf("its %d layers hold no values: it describes a network, and the file of its weights is another (.caffemodel)", len(layers))
	}
	return f, nil
}

// caffeUnits puts layers together: a normalisation belongs to the layer that its name says, or to
// the one that made its input.
func (f *Foreign) caffeUnits(layers []caffeLayer) ([]*caffeUnit, error) {
	var units []*caffeUnit
	byName, byTop := map[string]*caffeUnit{}, map[string]*caffeUnit{}
	for _, l := range layers {
		bad := func(format string, args ...any) ([]*caffeUnit, error) {
			return nil, fmt.Errorf("layer %q of kind %q: %w", l.name, l.kind, fmt.Errorf(format, args...))
		}
		switch {
		case l.kind == "Pooling":
			if name := caffePooling(l.name); name != "" && l.hasWindow && !l.globalWindow {
				f.Windows[name] = l.window
			}
			delete(byTop, l.top)
			continue
		case len(l.blobs) == 0:
			if l.top != "" && l.top != l.bottom {
				delete(byTop, l.top)
			}
			continue
		}
		switch l.kind {
		case "Convolution", "InnerProduct":
			u := &caffeUnit{layer: l}
			if byName[l.name] != nil {
				return bad("two layers of this name")
			}
			if l.group != 1 || l.dilation != 1 || l.transposed {
				return bad("groups, dilations and transposed weights are in no network here")
			}
			units = append(units, u)
			byName[l.name], byTop[l.top] = u, u
		case "BatchNorm", "Scale":
			u := byName[caffeNormalised(l.name)]
			if u == nil {
				u = byTop[l.bottom]
			}
			if u == nil {
				return bad("it follows no convolution, by its name or its input")
			}
			if l.top != "" {
				byTop[l.top] = u
			}
			add := u.batchNorm
			if l.kind == "Scale" {
				add = u.affine
			}
			if err := add(l); err != nil {
				return bad("%w", err)
			}
			if l.eps != 0 {
				if f.Eps != 0 && f.Eps != l.eps {
					return bad("ε is %g, and %g elsewhere", l.eps, f.Eps)
				}
				f.Eps = l.eps
			}
		default:
			return bad("it holds values, and only Convolution, InnerProduct, BatchNorm and Scale are known")
		}
	}
	return units, nil
}

// batchNorm takes mean and variance, which a third blob divides: Caffe keeps sums of the moving
// average and the sum of its weights.
func (u *caffeUnit) batchNorm(l caffeLayer) error {
	if u.normalised != "" {
		return fmt.Errorf("%q normalises the same", u.normalised)
	}
	if len(l.blobs) != 3 || len(l.blobs[0].Data) != len(l.blobs[1].Data) || len(l.blobs[2].Data) != 1 {
		return fmt.Errorf("it needs mean, variance and a factor, and has %d blobs", len(l.blobs))
	}
	u.normalised, u.mean, u.variance = l.name, l.blobs[0].Data, l.blobs[1].Data
	factor := 0.0 // of a network that was never trained
	if by := l.blobs[2].Data[0]; by != 0 {
		factor = 1 / float64(by)
	}
	for i := range u.mean {
		u.mean[i] = float32(float64(u.mean[i]) * factor)
		u.variance[i] = float32(float64(u.variance[i]) * factor)
	}
	return nil
}

// affine takes γ and β.
func (u *caffeUnit) affine(l caffeLayer) error {
	switch {
	case u.scaled != "":
		return fmt.Errorf("%q scales the same", u.scaled)
	case u.normalised == "":
		return fmt.Errorf("it stands before the normalisation of %q", u.layer.name)
	case len(l.blobs) > 2:
		return fmt.Errorf("%d blobs, want a factor and a shift", len(l.blobs))
	}
	u.scaled, u.scale = l.name, l.blobs[0].Data
	if len(l.blobs) == 2 {
		u.shift = l.blobs[1].Data
	}
	return nil
}

// addUnit adds a unit's tensors under the names of a convolution and a normalisation.
func (f *Foreign) addUnit(u *caffeUnit, conv, norm string) error {
	blobs := u.layer.blobs
	w := blobs[0]
	var err error
	if w.Shape, err = caffeWeights(u.layer); err != nil {
		return err
	}
	if len(blobs) > 2 {
		return fmt.Errorf("%d blobs, want weights and biases", len(blobs))
	}
	outputs := w.Shape[0]
	w.Name = conv + ".weight"
	f.Tensors = append(f.Tensors, w)
	if u.layer.hasWindow {
		f.Windows[conv] = u.layer.window
	}
	var bias []float32
	if len(blobs) == 2 {
		if bias = blobs[1].Data; len(bias) != outputs {
			return fmt.Errorf("%d biases of %d outputs", len(bias), outputs)
		}
	}
	if u.normalised == "" {
		if bias != nil {
			f.vector(conv+".bias", bias)
		}
		return nil
	}
	if bias != nil {
		if err := foldBias(u.mean, bias); err != nil {
			return err
		}
	}
	if u.scale == nil {
		u.scale = slices.Repeat([]float32{1}, len(u.mean))
	}
	if u.shift == nil {
		u.shift = make([]float32, len(u.scale))
	}
	for _, v := range [][]float32{u.mean, u.scale, u.shift} {
		if len(v) != outputs {
			return fmt.Errorf("a normalisation of %d channels, and %d outputs", len(v), outputs)
		}
	}
	f.vector(norm+".weight", u.scale)
	f.vector(norm+".bias", u.shift)
	f.vector(norm+".running_mean", u.mean)
	f.vector(norm+".running_var", u.variance)
	return nil
}

func (f *Foreign) vector(name string, v []float32) {
	f.Tensors = append(f.Tensors, Tensor{Name: name, DType: F32, Shape: []int{len(v)}, Data: v})
}

// caffeWeights is the shape of a layer's weights: [K, C, R, S], or [K, C] of a fully connected
// layer, before which old files have dimensions of 1.
func caffeWeights(l caffeLayer) ([]int, error) {
	shape, want := l.blobs[0].Shape, 4
	if l.kind == "InnerProduct" {
		want = 2
	}
	for len(shape) > want && shape[0] == 1 {
		shape = shape[1:]
	}
	if len(shape) != want {
		return nil, fmt.Errorf("weights of shape %v, want %d dimensions", l.blobs[0].Shape, want)
	}
	return shape, nil
}
