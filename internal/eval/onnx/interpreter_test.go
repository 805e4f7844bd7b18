package onnx

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"
)

// array is a tensor of the interpreter below, row-major.
type array struct {
	shape []int
	data  []float64
}

func zeros(shape ...int) array {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return array{shape, make([]float64, n)}
}

// at is the value at [n, c, y, x], 0 outside of the map.
func (a array) at(n, c, y, x int) float64 {
	if y < 0 || x < 0 || y >= a.shape[2] || x >= a.shape[3] {
		return 0
	}
	return a.data[((n*a.shape[1]+c)*a.shape[2]+y)*a.shape[3]+x]
}

// each calls f with the indices of a's maps and stores what it returns.
func (a array) each(f func(n, c, y, x int) float64) array {
	i := 0
	for n := range a.shape[0] {
		for c := range a.shape[1] {
			for y := range a.shape[2] {
				for x := range a.shape[3] {
					a.data[i] = f(n, c, y, x)
					i++
				}
			}
		}
	}
	return a
}

// interpreter runs a model as the ONNX standard (operator set 17) defines its operators. Field
// numbers are written out from onnx.proto.
type interpreter struct {
	t      *testing.T
	values map[string]array
}

func number(b []byte) int { return int(int64(binary.LittleEndian.Uint64(b))) }

func numbers(list [][]byte) (out []int) {
	for _, b := range list {
		out = append(out, number(b))
	}
	return out
}

func (r *interpreter) initializer(tensor []byte) {
	f := fields(r.t, tensor)
	a := zeros(numbers(f[1])...)
	for i := range a.data {
		switch kind := number(f[2][0]); kind {
		case 1: // FLOAT
			a.data[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(f[9][0][4*i:])))
		case 7: // INT64
			a.data[i] = float64(number(f[9][0][8*i:][:8]))
		default:
			r.t.Fatalf("an initializer of type %d", kind)
		}
	}
	r.values[string(f[8][0])] = a
}

// attributes are what a node has, integers as floats.
type attributes map[string][]float64

func (r *interpreter) attributes(list [][]byte) attributes {
	out := attributes{}
	for _, a := range list {
		f := fields(r.t, a)
		name := string(f[1][0])
		switch kind := number(f[20][0]); kind {
		case 1: // FLOAT
			out[name] = []float64{float64(math.Float32frombits(binary.LittleEndian.Uint32(f[2][0])))}
		case 2: // INT
			out[name] = []float64{float64(number(f[3][0]))}
		case 3: // STRING
			out[name+"="+string(f[4][0])] = []float64{1}
		case 7: // INTS
			for _, v := range numbers(f[8]) {
				out[name] = append(out[name], float64(v))
			}
		}
	}
	return out
}

// one is the attribute's first value, or what the standard gives it.
func (a attributes) one(name string, otherwise float64) float64 {
	if v, ok := a[name]; ok {
		return v[0]
	}
	return otherwise
}

func (r *interpreter) node(node []byte) {
	f := fields(r.t, node)
	op, attr := string(f[4][0]), r.attributes(f[5])
	var in []array
	for _, name := range f[1] {
		v, ok := r.values[string(name)]
		if !ok {
			r.t.Fatalf("%s reads %q, which is not there", f[3][0], name)
		}
		in = append(in, v)
	}
	r.values[string(f[2][0])] = r.compute(op, attr, in)
}

func (r *interpreter) compute(op string, attr attributes, in []array) array {
	x := in[0]
	switch op {
	case "Identity":
		return x
	case "Cast":
		return x // all are kept in float64
	case "Sub", "Div":
		return r.broadcast(op, x, in[1])
	case "Softmax":
		out := zeros(x.shape...)
		axis := int(attr.one("axis", -1))
		if axis != len(x.shape)-1 {
			r.t.Errorf("Softmax at axis %d of %v", axis, x.shape)
		}
		k := x.shape[axis]
		for i := range x.data {
			sum := 0.0
			for _, z := range x.data[i/k*k : i/k*k+k] {
				sum += math.Exp(z)
			}
			out.data[i] = math.Exp(x.data[i]) / sum
		}
		return out
	case "Relu":
		out := zeros(x.shape...)
		for i, v := range x.data {
			out.data[i] = max(0, v)
		}
		return out
	case "Sigmoid":
		out := zeros(x.shape...)
		for i, v := range x.data {
			out.data[i] = 1 / (1 + math.Exp(-v))
		}
		return out
	case "Elu":
		out := zeros(x.shape...)
		for i, v := range x.data {
			out.data[i] = max(v, 0) + attr.one("alpha", 1)*min(math.Expm1(v), 0)
		}
		return out
	case "Unsqueeze":
		if axes := in[1].data; len(axes) != 2 || axes[0] != 2 || axes[1] != 3 || len(x.shape) != 2 {
			r.t.Errorf("Unsqueeze of %v at %v", x.shape, axes)
		}
		return array{[]int{x.shape[0], x.shape[1], 1, 1}, x.data}
	case "Mul": // of a map and a value for each of its channels
		if s := in[1].shape; len(s) != 4 || s[0] != x.shape[0] || s[1] != x.shape[1] || s[2]*s[3] != 1 {
			r.t.Errorf("Mul of %v and %v", x.shape, s)
		}
		return zeros(x.shape...).each(func(n, c, y, k int) float64 { return x.at(n, c, y, k) * in[1].at(n, c, 0, 0) })
	case "Add":
		if len(in[1].shape) < len(x.shape) {
			return r.broadcast(op, x, in[1])
		}
		out := zeros(x.shape...)
		for i, v := range x.data {
			out.data[i] = v + in[1].data[i]
		}
		return out
	case "PRelu":
		out := zeros(x.shape...)
		per := len(x.data) / x.shape[0] / x.shape[1]
		for i, v := range x.data {
			if out.data[i] = v; v < 0 {
				out.data[i] *= in[1].data[i/per%x.shape[1]]
			}
		}
		if len(in[1].shape) != len(x.shape)-1 {
			r.t.Errorf("a slope of shape %v for values of shape %v", in[1].shape, x.shape)
		}
		return out
	case "BatchNormalization":
		eps := attr.one("epsilon", 1e-5)
		return zeros(x.shape...).each(func(n, c, y, k int) float64 {
			return (x.at(n, c, y, k)-in[3].data[c])/math.Sqrt(in[4].data[c]+eps)*in[1].data[c] + in[2].data[c]
		})
	case "Conv":
		return r.conv(attr, in)
	case "MaxPool", "AveragePool":
		return r.pool(op, attr, x)
	case "GlobalAveragePool":
		return zeros(x.shape[0], x.shape[1], 1, 1).each(func(n, c, _, _ int) float64 {
			sum := 0.0
			for y := range x.shape[2] {
				for k := range x.shape[3] {
					sum += x.at(n, c, y, k)
				}
			}
			return sum / float64(x.shape[2]*x.shape[3])
		})
	case "LRN":
		size := int(attr["size"][0])
		return zeros(x.shape...).each(func(n, c, y, k int) float64 {
			sum := 0.0
			for j := max(0, c-(size-1)/2); j <= min(x.shape[1]-1, c+size/2); j++ {
				sum += x.at(n, j, y, k) * x.at(n, j, y, k)
			}
			return x.at(n, c, y, k) / math.Pow(attr.one("bias", 1)+attr.one("alpha", 1e-4)/float64(size)*sum, attr.one("beta", 0.75))
		})
	case "Flatten":
		if attr.one("axis", 1) != 1 {
			r.t.Errorf("Flatten at axis %v", attr["axis"])
		}
		return array{[]int{x.shape[0], len(x.data) / x.shape[0]}, x.data}
	case "Gemm":
		return r.gemm(attr, in)
	case "Concat":
		return r.concat(int(attr["axis"][0]), in)
	case "Slice":
		return r.slice(in)
	case "Pad":
		p := in[1].data // begins, then ends
		out := zeros(x.shape[0]+int(p[0]+p[4]), x.shape[1]+int(p[1]+p[5]), x.shape[2]+int(p[2]+p[6]), x.shape[3]+int(p[3]+p[7]))
		return out.each(func(n, c, y, k int) float64 {
			if c -= int(p[1]); c < 0 || c >= x.shape[1] {
				return 0
			}
			return x.at(n-int(p[0]), c, y-int(p[2]), k-int(p[3]))
		})
	}
	return r.sequence(op, attr, in)
}

// broadcast applies an operator to x [N, C, H, W] and b, whose dimensions count from the right.
func (r *interpreter) broadcast(op string, x, b array) array {
	at := func(n, c, y, k int) float64 {
		i := 0
		place := []int{n, c, y, k}[4-len(b.shape):]
		for d, size := range b.shape {
			p := place[d]
			if size == 1 {
				p = 0
			}
			i = i*size + p
		}
		return b.data[i]
	}
	return zeros(x.shape...).each(func(n, c, y, k int) float64 {
		switch op {
		case "Add":
			return x.at(n, c, y, k) + at(n, c, y, k)
		case "Sub":
			return x.at(n, c, y, k) - at(n, c, y, k)
		}
		return x.at(n, c, y, k) / at(n, c, y, k)
	})
}

func (r *interpreter) conv(attr attributes, in []array) array {
	x, w := in[0], in[1]
	k, stride, pads := attr["kernel_shape"], attr["strides"], attr["pads"]
	if int(k[0]) != w.shape[2] || int(k[1]) != w.shape[3] {
		r.t.Fatalf("a kernel of %v with weights of %v", k, w.shape)
	}
	groups := int(attr.one("group", 1))
	if x.shape[1] != groups*w.shape[1] {
		r.t.Fatalf("weights of %v for %v in %d groups", w.shape, x.shape, groups)
	}
	size := func(d, axis int) int {
		return (d+int(pads[axis]+pads[axis+2])-w.shape[2+axis])/int(stride[axis]) + 1
	}
	return zeros(x.shape[0], w.shape[0], size(x.shape[2], 0), size(x.shape[3], 1)).each(func(n, o, y, k int) float64 {
		sum := 0.0
		if len(in) == 3 {
			sum = in[2].data[o]
		}
		first := o / (w.shape[0] / groups) * w.shape[1]
		for c := range w.shape[1] {
			for i := range w.shape[2] {
				for j := range w.shape[3] {
					sum += w.at(o, c, i, j) * x.at(n, first+c, y*int(stride[0])-int(pads[0])+i, k*int(stride[1])-int(pads[1])+j)
				}
			}
		}
		return sum
	})
}

func (r *interpreter) pool(op string, attr attributes, x array) array {
	k, stride, pads := attr["kernel_shape"], attr["strides"], attr["pads"]
	size := func(d, axis int) int {
		span := float64(d) + pads[axis] + pads[axis+2] - k[axis]
		if attr.one("ceil_mode", 0) == 0 {
			return int(math.Floor(span/stride[axis])) + 1
		}
		n := int(math.Ceil(span/stride[axis])) + 1
		if float64(n-1)*stride[axis] >= float64(d)+pads[axis] { // it begins behind the map
			n--
		}
		return n
	}
	return zeros(x.shape[0], x.shape[1], size(x.shape[2], 0), size(x.shape[3], 1)).each(func(n, c, y, xx int) float64 {
		most, sum, count := math.Inf(-1), 0.0, 0
		for i := range int(k[0]) {
			for j := range int(k[1]) {
				sy, sx := y*int(stride[0])-int(pads[0])+i, xx*int(stride[1])-int(pads[1])+j
				if sy < 0 || sx < 0 || sy >= x.shape[2] || sx >= x.shape[3] {
					continue
				}
				most, sum, count = max(most, x.at(n, c, sy, sx)), sum+x.at(n, c, sy, sx), count+1
			}
		}
		switch {
		case op == "MaxPool":
			return most
		case attr.one("count_include_pad", 0) == 1:
			return sum / (k[0] * k[1])
		}
		return sum / float64(count)
	})
}

func (r *interpreter) gemm(attr attributes, in []array) array {
	x, w, n := in[0], in[1], in[0].shape[0]
	out := zeros(n, len(in[2].data))
	classes, width := out.shape[1], x.shape[1]
	for i := range out.data {
		row, k := i/classes, i%classes
		out.data[i] = in[2].data[k]
		for j := range width {
			at := j*classes + k
			if attr.one("transB", 0) == 1 {
				at = k*width + j
			}
			out.data[i] += x.data[row*width+j] * w.data[at]
		}
	}
	return out
}

// concat joins along axis 1.
func (r *interpreter) concat(axis int, in []array) array {
	if axis != 1 {
		r.t.Fatalf("Concat along axis %d", axis)
	}
	shape := slices.Clone(in[0].shape)
	shape[1] = 0
	for _, a := range in {
		shape[1] += a.shape[1]
	}
	out := array{shape: shape}
	for n := range shape[0] {
		for _, a := range in {
			per := len(a.data) / shape[0]
			out.data = append(out.data, a.data[n*per:(n+1)*per]...)
		}
	}
	return out
}

// slice takes every step-th value from start on, to the end.
func (r *interpreter) slice(in []array) array {
	x := in[0]
	step := map[int]int{0: 1, 1: 1, 2: 1, 3: 1}
	for i, axis := range in[3].data {
		if in[1].data[i] != 0 || in[2].data[i] < float64(x.shape[int(axis)]) {
			r.t.Errorf("a slice of %v to %v", in[1].data, in[2].data)
		}
		step[int(axis)] = int(in[4].data[i])
	}
	size := func(axis int) int { return (x.shape[axis] + step[axis] - 1) / step[axis] }
	return zeros(size(0), size(1), size(2), size(3)).each(func(n, c, y, k int) float64 {
		return x.at(n*step[0], c*step[1], y*step[2], k*step[3])
	})
}
