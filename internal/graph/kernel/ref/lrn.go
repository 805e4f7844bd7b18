package ref

import "math"

// LRNShape is the geometry and the constants of local response normalisation over the channels of x
// [N, C, H, W].
type LRNShape struct {
	ImageShape
	Size        int // channels in a window: Size/2 before the one in hand, (Size-1)/2 after it
	Alpha, Beta float64
	Bias        float64 // k of the formula
}

// LRN is local response normalisation across channels (Krizhevsky et al. 2012, section 3.3), with α
// divided by the window's size as in Caffe and PyTorch:
//
//	y_c = x_c · s_c^-β,  s_c = k + α/Size · Σ x_j²,
//
// where j goes over the channels of the window of c that exist.
//
// Powers are taken in float64.
func LRN[T Float](y, x []T, g LRNShape) {
	area := g.Area()
	for n := range g.N {
		for p := range area {
			at := n*g.C*area + p
			for c := range g.C {
				y[at+c*area] = T(float64(x[at+c*area]) * math.Pow(lrnScale(x, at, c, g), -g.Beta))
			}
		}
	}
}

// LRNGrad is the derivative of LRN. The channel i takes part in the windows of the channels c from
// i-(Size-1)/2 to i+Size/2:
//
//	dx_i = dy_i · s_i^-β - 2αβ/Size · x_i · Σ_c dy_c · x_c · s_c^(-β-1).
func LRNGrad[T Float](dx, x, dy []T, g LRNShape) {
	area := g.Area()
	for n := range g.N {
		for p := range area {
			at := n*g.C*area + p
			for i := range g.C {
				var sum float64
				for c := max(0, i-(g.Size-1)/2); c < min(g.C, i+g.Size/2+1); c++ {
					sum += float64(dy[at+c*area]) * float64(x[at+c*area]) * math.Pow(lrnScale(x, at, c, g), -g.Beta-1)
				}
				own := float64(dy[at+i*area]) * math.Pow(lrnScale(x, at, i, g), -g.Beta)
				dx[at+i*area] = T(own - 2*g.Alpha*g.Beta/float64(g.Size)*float64(x[at+i*area])*sum)
			}
		}
	}
}

// lrnScale is s_c for the pixel whose channel 0 is element at.
func lrnScale[T Float](x []T, at, c int, g LRNShape) float64 {
	var sum float64
	for j := max(0, c-g.Size/2); j < min(g.C, c+(g.Size-1)/2+1); j++ {
		v := float64(x[at+j*g.Area()])
		sum += v * v
	}
	return g.Bias + g.Alpha/float64(g.Size)*sum
}
