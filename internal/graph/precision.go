package graph

import "fmt"

// Precision is the element type of activations and of the weights' working copies: what
// convolutions multiply. Sums, statistics, losses, parameters and optimisers are float32 in both.
type Precision uint8

// The precisions.
const (
	Float32 Precision = iota
	BFloat16
)

var precisions = [...]string{Float32: "float32", BFloat16: "bfloat16"}

// String is "float32" or "bfloat16".
func (p Precision) String() string { return precisions[p] }

// MarshalText makes it its name in JSON.
func (p Precision) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (p *Precision) UnmarshalText(name []byte) (err error) {
	*p, err = ParsePrecision(string(name))
	return err
}

// Precisions lists the names, the default first.
func Precisions() []string { return precisions[:] }

// ParsePrecision returns the precision of a name; the empty one is Float32.
func ParsePrecision(name string) (Precision, error) {
	for p, n := range precisions {
		if n == name || name == "" {
			return Precision(p), nil
		}
	}
	return Float32, fmt.Errorf("%q is no precision: use float32 or bfloat16", name)
}
