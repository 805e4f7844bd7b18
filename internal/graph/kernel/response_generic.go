package kernel

import "math"

// threeQuarters is s^¾.
func threeQuarters(s float32) float32 {
	r := float32(math.Sqrt(float64(s)))
	return r * float32(math.Sqrt(float64(r)))
}

func genericResponse(r *Response) {
	x, s, y := r.X[:r.N], r.S[:r.N], r.Y[:r.N]
	for i, v := range x {
		y[i] = v / threeQuarters(r.K+s[i])
	}
}

func genericResponseGrad(r *Response) {
	x, s, y, d, t := r.X[:r.N], r.S[:r.N], r.Y[:r.N], r.D[:r.N], r.T[:r.N]
	for i, v := range x {
		scale := r.K + s[i]
		g := d[i] / threeQuarters(scale)
		y[i] = g
		t[i] = g * v / scale
	}
}
