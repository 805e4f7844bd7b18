package ref

// Conv is the cross-correlation that deep learning calls convolution:
//
//	y[n,k,i,j] = b[k] + Σ_{c,r,s} w[k,c,r,s] · x[n, c, i·U+r-P, j·U+s-P]
//
// with U the stride (j's is StrideW where that is set) and x zero outside the image. x [N, C, H,
// W], w [K, C, R, S], b [K] or nil, y [N, K, OutH, OutW].
//
// In G groups w is [K, C/G, R, S], and c goes over the C/G channels of k's group alone.
func Conv[T Float](y, x, w, b []T, g ConvShape) {
	oh, ow, u, per := g.OutH(), g.OutW(), g.ColStride(), g.GroupChannels()
	for n := range g.N {
		for k := range g.K {
			yp := y[(n*g.K+k)*oh*ow:][:oh*ow]
			var bias T
			if b != nil {
				bias = b[k]
			}
			for i := range yp {
				yp[i] = bias
			}
			first := g.firstChannel(k)
			for c := range per {
				xp := x[(n*g.C+first+c)*g.H*g.W:][:g.H*g.W]
				wp := w[(k*per+c)*g.R*g.S:][:g.R*g.S]
				g.taps(func(tap, yRow, xRow, count int) {
					v := wp[tap]
					ys := yp[yRow:][:count]
					if u == 1 {
						xs := xp[xRow:][:count]
						for j := range ys {
							ys[j] += v * xs[j]
						}
						return
					}
					for j := range ys {
						ys[j] += v * xp[xRow+j*u]
					}
				})
			}
		}
	}
}

// ConvInputGrad is the derivative with respect to x: dx[n,c,h,w] = Σ w[k,c,r,s] · dy[n,k,i,j] over
// the outputs that x[n,c,h,w] took part in. dx [N, C, H, W], w [K, C, R, S], dy [N, K, OutH, OutW].
func ConvInputGrad[T Float](dx, w, dy []T, g ConvShape) {
	oh, ow, u, per := g.OutH(), g.OutW(), g.ColStride(), g.GroupChannels()
	clear(dx[:g.N*g.C*g.H*g.W])
	for n := range g.N {
		for k := range g.K {
			dyp := dy[(n*g.K+k)*oh*ow:][:oh*ow]
			first := g.firstChannel(k)
			for c := range per {
				dxp := dx[(n*g.C+first+c)*g.H*g.W:][:g.H*g.W]
				wp := w[(k*per+c)*g.R*g.S:][:g.R*g.S]
				g.taps(func(tap, yRow, xRow, count int) {
					v := wp[tap]
					for j, d := range dyp[yRow:][:count] {
						dxp[xRow+j*u] += v * d
					}
				})
			}
		}
	}
}

// ConvWeightGrad is the derivative with respect to w: dw[k,c,r,s] = Σ_{n,i,j} x[n, c, i·U+r-P,
// j·U+s-P] · dy[n,k,i,j]. dw [K, C, R, S], x [N, C, H, W], dy [N, K, OutH, OutW].
func ConvWeightGrad[T Float](dw, x, dy []T, g ConvShape) {
	oh, ow, u, per := g.OutH(), g.OutW(), g.ColStride(), g.GroupChannels()
	clear(dw[:g.K*per*g.R*g.S])
	for n := range g.N {
		for k := range g.K {
			dyp := dy[(n*g.K+k)*oh*ow:][:oh*ow]
			first := g.firstChannel(k)
			for c := range per {
				xp := x[(n*g.C+first+c)*g.H*g.W:][:g.H*g.W]
				dwp := dw[(k*per+c)*g.R*g.S:][:g.R*g.S]
				g.taps(func(tap, yRow, xRow, count int) {
					var sum T
					for j, d := range dyp[yRow:][:count] {
						sum += d * xp[xRow+j*u]
					}
					dwp[tap] += sum
				})
			}
		}
	}
}

// ConvBiasGrad is the derivative with respect to b: db[k] = Σ_{n,i,j} dy[n,k,i,j]. db [K], dy [N,
// K, OutH, OutW].
func ConvBiasGrad[T Float](db, dy []T, g ConvShape) {
	area := g.OutH() * g.OutW()
	for k := range g.K {
		var sum float64
		for n := range g.N {
			for _, d := range dy[(n*g.K+k)*area:][:area] {
				sum += float64(d)
			}
		}
		db[k] = T(sum)
	}
}

// taps calls f for every tap and output row of one plane: the row's outputs yRow, yRow+1, ...
// (count of them) meet the inputs xRow, xRow+U, ... of the plane through the weight at tap. Outputs
// that the tap takes from the padding are left out.
func (s ConvShape) taps(f func(tap, yRow, xRow, count int)) {
	oh, ow, u := s.OutH(), s.OutW(), s.ColStride()
	for r := range s.R {
		i0, i1 := reach(r-s.PadH, s.Stride, s.H, oh)
		for q := range s.S {
			j0, j1 := reach(q-s.PadW, u, s.W, ow)
			if j0 >= j1 {
				continue
			}
			for i := i0; i < i1; i++ {
				f(r*s.S+q, i*ow+j0, (i*s.Stride+r-s.PadH)*s.W+j0*u+q-s.PadW, j1-j0)
			}
		}
	}
}

// reach returns the outputs o in [lo, hi) with 0 <= o*stride+offset < size.
func reach(offset, stride, size, out int) (lo, hi int) {
	if offset < 0 {
		lo = (-offset + stride - 1) / stride
	}
	if last := size - 1 - offset; last >= 0 {
		hi = min(last/stride+1, out)
	}
	return lo, hi
}
