package ref

// Excite scales channels: y[n,c] = σ(s[n,c]) · x[n,c] with the logistic function σ. x, y [N, C, H,
// W], s [N, C].
func Excite[T Float](y, x, s []T, g ImageShape) {
	area := g.Area()
	for i, v := range s[:g.N*g.C] {
		f := logistic(v)
		for p, v := range x[i*area:][:area] {
			y[i*area+p] = f * v
		}
	}
}

// ExciteScaleGrad is the derivative with respect to s: ds = σ(s)(1-σ(s)) Σ over pixels dy·x. ds, s
// [N, C], x, dy [N, C, H, W].
func ExciteScaleGrad[T Float](ds, x, s, dy []T, g ImageShape) {
	area := g.Area()
	for i, v := range s[:g.N*g.C] {
		sum := 0.
		for p, v := range x[i*area:][:area] {
			sum += float64(v) * float64(dy[i*area+p])
		}
		f := logistic(v)
		ds[i] = T(sum) * f * (1 - f)
	}
}
