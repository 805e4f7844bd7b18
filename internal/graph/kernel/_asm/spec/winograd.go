package spec

// Arithmetic is what a generator does with vectors of type V.
type Arithmetic[V any] interface {
	Add(x, y V) V
	Sub(x, y V) V             // x - y
	FMA(k float32, x, y V) V  // k·x + y
	FNMA(k float32, x, y V) V // y - k·x
	Mul(k float32, x V) V
	Same(x V) V
}

// Input is B^T of F(4x4, 3x3), Lavin and Gray 2015, section 4.3.
func Input[C Arithmetic[V], V any](c C, d []V) []V {
	a, b := c.FNMA(4, d[2], d[4]), c.FNMA(4, d[1], d[3])
	e, f := c.Sub(d[4], d[2]), c.Sub(d[3], d[1])
	return []V{
		c.FMA(4, d[0], c.FNMA(5, d[2], d[4])), c.Add(a, b), c.Sub(a, b),
		c.FMA(2, f, e), c.FNMA(2, f, e), c.FMA(4, d[1], c.FNMA(5, d[3], d[5])),
	}
}

// Output is A^T.
func Output[C Arithmetic[V], V any](c C, m []V) []V {
	a, b := c.Add(m[1], m[2]), c.Sub(m[1], m[2])
	e, f := c.Add(m[3], m[4]), c.Sub(m[3], m[4])
	return []V{
		c.Add(c.Add(m[0], a), e), c.FMA(2, f, b), c.FMA(4, e, a), c.Add(c.FMA(8, f, b), m[5]),
	}
}

// Spread is A, the transpose of Output, for the gradient of the output.
func Spread[C Arithmetic[V], V any](c C, y []V) []V {
	e, o := c.Add(y[0], y[2]), c.Add(y[1], y[3])
	e2, o2 := c.FMA(4, y[2], y[0]), c.FMA(8, y[3], c.Mul(2, y[1]))
	return []V{c.Same(y[0]), c.Add(e, o), c.Sub(e, o), c.Add(e2, o2), c.Sub(e2, o2), c.Same(y[3])}
}

// Filter is G.
func Filter[C Arithmetic[V], V any](c C, g []V) []V {
	s := c.Add(g[0], g[2])                 // g0 + g2
	t := c.FMA(4, g[2], g[0])              // g0 + 4 g2
	u := c.Mul(1./12, g[1])                // g1/12
	v := c.Mul(1./24, t)                   // g0/24 + g2/6
	p, q := c.Add(s, g[1]), c.Sub(s, g[1]) // g0 ± g1 + g2
	return []V{
		c.Mul(1./4, g[0]), c.Mul(-1./6, p), c.Mul(-1./6, q), c.Add(v, u), c.Sub(v, u), c.Same(g[2]),
	}
}

// Gather is G^T, from the sums in the transformed domain to the weight gradient.
func Gather[C Arithmetic[V], V any](c C, m []V) []V {
	a, b := c.Add(m[1], m[2]), c.Sub(m[2], m[1])
	e, f := c.Add(m[3], m[4]), c.Sub(m[3], m[4])
	return []V{
		c.FMA(1./24, e, c.FNMA(1./6, a, c.Mul(1./4, m[0]))),
		c.FMA(1./12, f, c.Mul(1./6, b)),
		c.FMA(1./6, e, c.FNMA(1./6, a, m[5])),
	}
}
