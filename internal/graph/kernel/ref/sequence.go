package ref

import "math"

// The operators of sequences. Maps are [N, C, F, T]: T frames are the width, and utterance n has
// lengths[n] of them; what is behind is padding.

// UtteranceNorm normalises each channel of each utterance over its frames and frequencies: y = γ·(x
// - μ)/sqrt(v + ε) + β, and 0 on the padding. There are no running statistics (Heymann et al. 2016,
// as published in the authors' TensorFlow port). x, y [N, C, H, W]; γ, β [C].
func UtteranceNorm[T Float](y, x, gamma, beta []T, lengths []int32, s ImageShape, eps float64) {
	for n := range s.N {
		for c := range s.C {
			at := (n*s.C + c) * s.Area()
			xs, ys := x[at:at+s.Area()], y[at:at+s.Area()]
			mean, inv := utteranceMoments(xs, int(lengths[n]), s, eps)
			a := float64(gamma[c]) * inv
			for h := range s.H {
				row, out := xs[h*s.W:(h+1)*s.W], ys[h*s.W:(h+1)*s.W]
				for t := range int(lengths[n]) {
					out[t] = T((float64(row[t])-mean)*a + float64(beta[c]))
				}
				clear(out[lengths[n]:])
			}
		}
	}
}

// utteranceMoments is the mean of a plane's valid frames and 1/sqrt(v + ε).
func utteranceMoments[T Float](x []T, length int, s ImageShape, eps float64) (mean, inv float64) {
	count := float64(s.H * length)
	for h := range s.H {
		for _, v := range x[h*s.W:][:length] {
			mean += float64(v)
		}
	}
	mean /= count
	variance := 0.
	for h := range s.H {
		for _, v := range x[h*s.W:][:length] {
			d := float64(v) - mean
			variance += d * d
		}
	}
	return mean, 1 / math.Sqrt(variance/count+eps)
}

// UtteranceNormInputGrad is the derivative of UtteranceNorm with respect to x, through the
// statistics too: dx = γ/σ·(g - mean(g) - x̂·mean(g·x̂)) over the valid frames, 0 on the padding.
func UtteranceNormInputGrad[T Float](dx, x, gamma, dy []T, lengths []int32, s ImageShape, eps float64) {
	for n := range s.N {
		length := int(lengths[n])
		for c := range s.C {
			at := (n*s.C + c) * s.Area()
			xs, gs, out := x[at:at+s.Area()], dy[at:at+s.Area()], dx[at:at+s.Area()]
			mean, inv := utteranceMoments(xs, length, s, eps)
			sum, dot := gradientSums(xs, gs, mean, inv, length, s)
			count := float64(s.H * length)
			a := float64(gamma[c]) * inv
			sum, dot = sum/count, dot/count*inv
			for h := range s.H {
				row, g, d := xs[h*s.W:(h+1)*s.W], gs[h*s.W:(h+1)*s.W], out[h*s.W:(h+1)*s.W]
				for t := range length {
					d[t] = T(a * (float64(g[t]) - sum - (float64(row[t])-mean)*dot))
				}
				clear(d[length:])
			}
		}
	}
}

// gradientSums are Σg and Σg·x̂ over a plane's valid frames.
func gradientSums[T Float](x, g []T, mean, inv float64, length int, s ImageShape) (sum, dot float64) {
	for h := range s.H {
		row, gs := x[h*s.W:][:length], g[h*s.W:][:length]
		for t, v := range gs {
			sum += float64(v)
			dot += float64(v) * (float64(row[t]) - mean)
		}
	}
	return sum, dot * inv
}

// UtteranceNormSums are each utterance's part of the gradients of γ and β: [N, 2, C], Σg·x̂ and Σg.
func UtteranceNormSums[T Float](sums, x, dy []T, lengths []int32, s ImageShape, eps float64) {
	for n := range s.N {
		for c := range s.C {
			at := (n*s.C + c) * s.Area()
			xs, gs := x[at:at+s.Area()], dy[at:at+s.Area()]
			mean, inv := utteranceMoments(xs, int(lengths[n]), s, eps)
			sum, dot := gradientSums(xs, gs, mean, inv, int(lengths[n]), s)
			sums[n*2*s.C+c], sums[n*2*s.C+s.C+c] = T(dot), T(sum)
		}
	}
}

// SumRows adds columns [from, from+c) of x [n, width].
func SumRows[T Float](y, x []T, n, width, from, c int) {
	for i := range c {
		sum := 0.
		for r := range n {
			sum += float64(x[r*width+from+i])
		}
		y[i] = T(sum)
	}
}

// FrequencyLinear is a linear layer over the frequencies with one output, its weights shared by
// channels and frames, 0 on the padding: y[n,c,0,t] = b + Σ_f w[f]·x[n,c,f,t]. x [N, C, H, W], y
// [N, C, 1, W], w [H], b [1].
func FrequencyLinear[T Float](y, x, w, b []T, lengths []int32, s ImageShape) {
	for p := range s.N * s.C {
		length := int(lengths[p/s.C])
		out := y[p*s.W : (p+1)*s.W]
		for t := range out {
			out[t] = b[0]
		}
		for h := range s.H {
			for t, v := range x[p*s.Area()+h*s.W:][:length] {
				out[t] += w[h] * v
			}
		}
		clear(out[length:])
	}
}

// FrequencyLinearInputGrad is dx[n,c,f,t] = w[f]·dy[n,c,0,t] on the valid frames.
func FrequencyLinearInputGrad[T Float](dx, w, dy []T, lengths []int32, s ImageShape) {
	for p := range s.N * s.C {
		length := int(lengths[p/s.C])
		for h := range s.H {
			out := dx[p*s.Area()+h*s.W:][:s.W]
			for t, v := range dy[p*s.W:][:length] {
				out[t] = w[h] * v
			}
			clear(out[length:])
		}
	}
}

// FrequencyLinearSums are each utterance's part of the gradients of w and b: [N, H+1].
func FrequencyLinearSums[T Float](sums, x, dy []T, lengths []int32, s ImageShape) {
	for n := range s.N {
		length := int(lengths[n])
		out := sums[n*(s.H+1):][:s.H+1]
		for h := range s.H + 1 {
			sum := 0.
			for c := range s.C {
				g := dy[(n*s.C+c)*s.W:][:length]
				if h == s.H {
					for _, v := range g {
						sum += float64(v)
					}
					continue
				}
				for t, v := range x[(n*s.C+c)*s.Area()+h*s.W:][:length] {
					sum += float64(v) * float64(g[t])
				}
			}
			out[h] = T(sum)
		}
	}
}

// LSTMShape is the geometry of a recurrent layer of one direction: N utterances of at most T
// frames, U units.
type LSTMShape struct{ N, U, T int }

// The rows of an LSTM's output: the hidden state, then the cell state and the four gates after
// their nonlinearities.
const (
	LSTMHidden = iota
	LSTMCell
	LSTMCandidate
	LSTMInput
	LSTMForget
	LSTMOutput
	LSTMRows
)

// LSTM is a long short-term memory without peepholes or biases of its own (Hochreiter and
// Schmidhuber 1997; gates as in Heymann et al. 2016):
//
//	a, i, f, o = x_t + W·h_{t-1}     (i, f and o through the logistic function)
//	c_t = f·c_{t-1} + i·tanh(a)
//	h_t = o·tanh(c_t)
//
// over the valid frames of each utterance, from the last to the first where reverse says so; states
// begin at 0 and the padding is 0. x [N, 4U, 1, T] are the gates' inputs in the order a, i, f, o; w
// [4U, U]; y [N, 6U, 1, T] has the rows above, U each.
func LSTM[T Float](y, x, w []T, lengths []int32, s LSTMShape, reverse bool) {
	u, frames := s.U, s.T
	gates := make([]T, 4*u)
	hidden := make([]T, u)
	for n := range s.N {
		xs, ys := x[n*4*u*frames:][:4*u*frames], y[n*LSTMRows*u*frames:][:LSTMRows*u*frames]
		length := int(lengths[n])
		for r := range LSTMRows * u {
			clear(ys[r*frames+length : (r+1)*frames])
		}
		clear(hidden)
		for k := range length {
			t, before := LSTMStep(k, length, reverse)
			for r := range gates {
				sum := xs[r*frames+t]
				for j, v := range w[r*u : (r+1)*u] {
					sum += v * hidden[j]
				}
				gates[r] = sum
			}
			for j := range u {
				a, i := tanh(gates[j]), logistic(gates[u+j])
				f, o := logistic(gates[2*u+j]), logistic(gates[3*u+j])
				c := i * a
				if k > 0 {
					c += f * ys[(LSTMCell*u+j)*frames+before]
				}
				h := o * tanh(c)
				for row, v := range [LSTMRows]T{h, c, a, i, f, o} {
					ys[(row*u+j)*frames+t] = v
				}
				hidden[j] = h
			}
		}
	}
}

// LSTMStep gives the frame that is the k-th to be computed, and the one before it (meaningless for
// the first).
func LSTMStep(k, length int, reverse bool) (t, before int) {
	if reverse {
		return length - 1 - k, length - k
	}
	return k, k - 1
}

func tanh[T Float](v T) T     { return T(math.Tanh(float64(v))) }
func logistic[T Float](v T) T { return T(1 / (1 + math.Exp(-float64(v)))) }

// LSTMGrad is the derivative with respect to x: from y (LSTM's output) and the gradient of its
// hidden state. dx [N, 4U, 1, T], w [4U, U], y [N, 6U, 1, T], dh [N, U, 1, T].
func LSTMGrad[T Float](dx, w, y, dh []T, lengths []int32, s LSTMShape, reverse bool) {
	u, frames := s.U, s.T
	back, cell := make([]T, u), make([]T, u) // gradients that come from the frame computed next
	gates := make([]T, 4*u)
	for n := range s.N {
		ys, out := y[n*LSTMRows*u*frames:][:LSTMRows*u*frames], dx[n*4*u*frames:][:4*u*frames]
		hs := dh[n*u*frames:][:u*frames]
		length := int(lengths[n])
		for r := range 4 * u {
			clear(out[r*frames+length : (r+1)*frames])
		}
		clear(back)
		clear(cell)
		for k := length - 1; k >= 0; k-- {
			t, before := LSTMStep(k, length, reverse)
			at := func(row, j int) T { return ys[(row*u+j)*frames+t] }
			for j := range u {
				var previous T
				if k > 0 {
					previous = ys[(LSTMCell*u+j)*frames+before]
				}
				d := hs[j*frames+t] + back[j]
				a, i, f, o, c := at(LSTMCandidate, j), at(LSTMInput, j), at(LSTMForget, j), at(LSTMOutput, j), tanh(at(LSTMCell, j))
				dc := cell[j] + d*o*(1-c*c)
				gates[j] = dc * i * (1 - a*a)
				gates[u+j] = dc * a * i * (1 - i)
				gates[2*u+j] = dc * previous * f * (1 - f)
				gates[3*u+j] = d * c * o * (1 - o)
				cell[j] = dc * f
			}
			clear(back)
			for r, g := range gates {
				out[r*frames+t] = g
				for j, v := range w[r*u : (r+1)*u] {
					back[j] += g * v
				}
			}
		}
	}
}

// LSTMWeightGrad is the derivative with respect to w: dw[r, j] = Σ_{n,t} dx[n, r, t]·h[n, j, the
// frame before t]. dw [4U, U], y and dx as above.
func LSTMWeightGrad[T Float](dw, y, dx []T, lengths []int32, s LSTMShape, reverse bool) {
	u, frames := s.U, s.T
	clear(dw[:4*u*u])
	for n := range s.N {
		ys, gs := y[n*LSTMRows*u*frames:], dx[n*4*u*frames:]
		steps := max(int(lengths[n])-1, 0) // pairs of a frame and the one before it
		shiftG, shiftH := 1, 0
		if reverse {
			shiftG, shiftH = 0, 1
		}
		for r := range 4 * u {
			g := gs[r*frames+shiftG:][:steps]
			for j := range u {
				var sum T
				for t, v := range ys[j*frames+shiftH:][:steps] {
					sum += v * g[t]
				}
				dw[r*u+j] += sum
			}
		}
	}
}

// ChannelBias is y[n,c,h,w] = x[n,c,h,w] + b[c].
func ChannelBias[T Float](y, x, b []T, s ImageShape) {
	for p := range s.N * s.C {
		v := b[p%s.C]
		for i, a := range x[p*s.Area():][:s.Area()] {
			y[p*s.Area()+i] = a + v
		}
	}
}

// Channels copies channels [from, from+c) of x [N, C, H, W].
func Channels[T Float](y, x []T, s ImageShape, from, c int) {
	for n := range s.N {
		copy(y[n*c*s.Area():(n+1)*c*s.Area()], x[(n*s.C+from)*s.Area():])
	}
}

// FrameRows transposes [N, C, 1, T] to rows [N, T, C], one for each frame.
func FrameRows[T Float](y, x []T, n, c, frames int) {
	for i := range n {
		for k := range c {
			for t, v := range x[(i*c+k)*frames:][:frames] {
				y[(i*frames+t)*c+k] = v
			}
		}
	}
}

// FrameColumns is the inverse of FrameRows.
func FrameColumns[T Float](y, x []T, n, c, frames int) {
	for i := range n {
		for k := range c {
			out := y[(i*c+k)*frames:][:frames]
			for t := range out {
				out[t] = x[(i*frames+t)*c+k]
			}
		}
	}
}

// UtteranceMean is the mean over the valid frames: x [N, C, 1, T] to y [N, C].
func UtteranceMean[T Float](y, x []T, lengths []int32, n, c, frames int) {
	for i := range n * c {
		length := int(lengths[i/c])
		sum := 0.
		for _, v := range x[i*frames:][:length] {
			sum += float64(v)
		}
		y[i] = T(sum / float64(length))
	}
}

// UtteranceMeanGrad is dx[n,c,t] = dy[n,c]/length on the valid frames.
func UtteranceMeanGrad[T Float](dx, dy []T, lengths []int32, n, c, frames int) {
	for i := range n * c {
		length := int(lengths[i/c])
		v := dy[i] / T(length)
		out := dx[i*frames:][:frames]
		for t := range length {
			out[t] = v
		}
		clear(out[length:])
	}
}

// FrameCrossEntropy is the mean of -log softmax over the frames that have a label: logits [rows,
// K], labels [rows], of which negative ones do not count; 0 without any.
func FrameCrossEntropy[T Float](logits, labels []T, rows, k int) T {
	sum, count := 0., 0
	for r := range rows {
		if labels[r] < 0 {
			continue
		}
		row := logits[r*k:][:k]
		sum += logSumExp(row) - float64(row[int(labels[r])])
		count++
	}
	return T(sum / float64(max(count, 1)))
}

// FrameCrossEntropyGrad is (softmax - onehot)·dloss/count on the frames with a label, 0 on the
// others.
func FrameCrossEntropyGrad[T Float](d, logits, labels []T, dloss T, rows, k int) {
	count := 0
	for _, l := range labels[:rows] {
		if l >= 0 {
			count++
		}
	}
	for r := range rows {
		out := d[r*k:][:k]
		if labels[r] < 0 {
			clear(out)
			continue
		}
		row := logits[r*k:][:k]
		log := logSumExp(row)
		for i, v := range row {
			p := math.Exp(float64(v) - log)
			if i == int(labels[r]) {
				p--
			}
			out[i] = T(p * float64(dloss) / float64(count))
		}
	}
}

func logSumExp[T Float](row []T) float64 {
	top := math.Inf(-1)
	for _, v := range row {
		top = max(top, float64(v))
	}
	sum := 0.
	for _, v := range row {
		sum += math.Exp(float64(v) - top)
	}
	return top + math.Log(sum)
}
