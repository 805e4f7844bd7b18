package onnx

import "math"

// sequence computes the operators of networks of sequences.
func (r *interpreter) sequence(op string, attr attributes, in []array) array {
	x := in[0]
	switch op {
	case "Elu":
		out := zeros(x.shape...)
		for i, v := range x.data {
			if out.data[i] = v; v < 0 {
				out.data[i] = attr.one("alpha", 1) * (math.Exp(v) - 1)
			}
		}
		return out
	case "InstanceNormalization":
		out := zeros(x.shape...)
		area := x.shape[2] * x.shape[3]
		for p := range x.shape[0] * x.shape[1] {
			sum, squares := 0.0, 0.0
			for _, v := range x.data[p*area : (p+1)*area] {
				sum, squares = sum+v, squares+v*v
			}
			mean, c := sum/float64(area), p%x.shape[1]
			for i, v := range x.data[p*area : (p+1)*area] {
				out.data[p*area+i] = in[1].data[c]*(v-mean)/math.Sqrt(squares/float64(area)-mean*mean+attr.one("epsilon", 1e-5)) + in[2].data[c]
			}
		}
		return out
	case "MatMul": // [M, K] and [N, C, K, T]
		y := in[1]
		return zeros(y.shape[0], y.shape[1], x.shape[0], y.shape[3]).each(func(n, c, m, t int) (sum float64) {
			for k := range x.shape[1] {
				sum += x.data[m*x.shape[1]+k] * y.at(n, c, k, t)
			}
			return sum
		})
	case "Squeeze":
		axis := int(in[1].data[0])
		if len(in[1].data) != 1 || x.shape[axis] != 1 {
			r.t.Fatalf("Squeeze of %v at %v", x.shape, in[1].data)
		}
		return array{append(append([]int{}, x.shape[:axis]...), x.shape[axis+1:]...), x.data}
	case "Transpose":
		return transpose(x, attr["perm"])
	case "ReduceMean": // of maps, to [N, C]
		if axes := attr["axes"]; len(axes) != 2 || axes[0] != 2 || axes[1] != 3 || attr.one("keepdims", 1) != 0 {
			r.t.Fatalf("ReduceMean with %v", attr)
		}
		out, area := zeros(x.shape[:2]...), x.shape[2]*x.shape[3]
		for i, v := range x.data {
			out.data[i/area] += v / float64(area)
		}
		return out
	case "LSTM":
		return r.lstm(attr, in)
	}
	r.t.Fatalf("no operator %s", op)
	return array{}
}

// transpose makes axis perm[i] axis i.
func transpose(x array, perm []float64) array {
	stride := make([]int, len(x.shape))
	n := 1
	for i := len(x.shape) - 1; i >= 0; i-- {
		stride[i], n = n, n*x.shape[i]
	}
	shape := make([]int, len(perm))
	for i, p := range perm {
		shape[i] = x.shape[int(p)]
	}
	out := zeros(shape...)
	for i := range out.data {
		from, rest := 0, i
		for k := len(shape) - 1; k >= 0; k-- {
			from += rest % shape[k] * stride[int(perm[k])]
			rest /= shape[k]
		}
		out.data[i] = x.data[from]
	}
	return out
}

// lstm is the standard's LSTM of one direction without biases: X [T, N, I], W [1, 4U, I], R [1, 4U,
// U] with the gates in the order i, o, f, c; Y [T, 1, N, U].
func (r *interpreter) lstm(attr attributes, in []array) array {
	x, w, rec := in[0], in[1], in[2]
	u, reverse := int(attr.one("hidden_size", 0)), attr["direction=reverse"] != nil
	if !reverse && attr["direction=forward"] == nil || rec.shape[0] != 1 || rec.shape[2] != u || w.shape[1] != 4*u || w.shape[2] != x.shape[2] {
		r.t.Fatalf("LSTM with %v, W %v and R %v", attr, w.shape, rec.shape)
	}
	steps, batch, width := x.shape[0], x.shape[1], x.shape[2]
	y := zeros(steps, 1, batch, u)
	for n := range batch {
		h, c := make([]float64, u), make([]float64, u)
		for k := range steps {
			t := k
			if reverse {
				t = steps - 1 - k
			}
			gate := make([]float64, 4*u)
			for row := range gate {
				for i := range width {
					gate[row] += w.data[row*width+i] * x.data[(t*batch+n)*width+i]
				}
				for j, v := range h {
					gate[row] += rec.data[row*u+j] * v
				}
			}
			logistic := func(v float64) float64 { return 1 / (1 + math.Exp(-v)) }
			for j := range u {
				c[j] = logistic(gate[2*u+j])*c[j] + logistic(gate[j])*math.Tanh(gate[3*u+j])
				h[j] = logistic(gate[u+j]) * math.Tanh(c[j])
				y.data[(t*batch+n)*u+j] = h[j]
			}
		}
	}
	return y
}
