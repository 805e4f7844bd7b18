package adapt

import (
	"fmt"
	"math"
	"strings"
)

// Structures of a speaker's matrix W [D, D], where a frame of D values is C maps (static features
// and their differences) of D/C features.
const (
	Full  = "full"  // every value of a frame from every other
	Block = "block" // a matrix of its own for each map
	// One matrix for all maps: exact for a linear map of static features, since differences are
	// linear.
	Shared   = "shared"
	Diagonal = "diagonal" // a factor for each value
)

// Structures lists them.
var Structures = []string{Full, Block, Shared, Diagonal}

// Options of an estimation. Defaults are ours.
type Options struct {
	Structure  string
	Iterations int     // passes over a speaker's utterances; at 0 the layer stays the identity
	Rate       float64 // Adam's, in the first pass; it falls by Rate/Iterations from pass to pass
	Regularise float64 // λ of the penalty λ/2·(|W−I|² + |b|²), beside the mean loss of a batch
}

// Validate fails where an option has no meaning.
func (o Options) Validate() error {
	known := false
	for _, s := range Structures {
		known = known || s == o.Structure
	}
	switch {
	case !known:
		return fmt.Errorf("structure %q: %s", o.Structure, strings.Join(Structures, ", "))
	case o.Iterations < 0:
		return fmt.Errorf("%d iterations; at least 0", o.Iterations)
	case !(o.Rate > 0 && o.Rate <= math.MaxFloat32):
		return fmt.Errorf("rate %g; above 0, and finite in 32 bits", o.Rate)
	case !(o.Regularise >= 0 && o.Regularise <= math.MaxFloat32):
		return fmt.Errorf("regularisation %g; at least 0", o.Regularise)
	}
	return nil
}

// project takes a gradient of W [D, D] and b [D] to that of the values which the structure leaves
// free. Those that share a value have the same gradient, the sum of theirs, so that they move
// together.
func project(structure string, maps int, weight, bias []float32) {
	d := len(bias)
	h := d / maps
	if structure == Full {
		return
	}
	for i := range d {
		for j := range d {
			if structure == Diagonal && i != j || i/h != j/h {
				weight[i*d+j] = 0
			}
		}
	}
	if structure != Shared {
		return
	}
	for i := range h {
		for j := range h {
			tie(maps, func(m int) *float32 { return &weight[(m*h+i)*d+m*h+j] })
		}
		// Differences of a constant are 0: only the static features have a bias.
		for m := 1; m < maps; m++ {
			bias[m*h+i] = 0
		}
	}
}

// tie gives all maps the sum of what they have.
func tie(maps int, at func(m int) *float32) {
	var sum float32
	for m := range maps {
		sum += *at(m)
	}
	for m := range maps {
		*at(m) = sum
	}
}
