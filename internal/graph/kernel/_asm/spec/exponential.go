package spec

// Constants of the exponential of kernel.exp: the reduction by multiples of ln 2, of which the
// first part has few digits, the polynomial, highest power first, and the argument below which the
// result is 0.
const (
	Log2E    = 1.44269504088896341
	Ln2High  = 0.693359375
	Ln2Low   = -2.12194440e-4
	ExpLeast = -87
)

// ExpPowers are the coefficients after the first, 1/720.
var ExpPowers = []float32{1. / 120, 1. / 24, 1. / 6, 0.5, 1, 1}

// Offsets in kernel.Activation.
const (
	ActX     = 0
	ActY     = 24
	ActD     = 48
	ActN     = 72
	ActAlpha = 80
)
