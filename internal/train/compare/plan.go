package compare

import (
	"errors"
	"fmt"
	"slices"
)

// ErrPlan marks depths or seeds that no comparison can be made of.
var ErrPlan = errors.New("invalid comparison")

// Net is one training of a comparison: a network of the CIFAR family (section 4.2 of He et al.
// 2016), or a row of the table of architectures, and a seed.
type Net struct {
	Row      string // of the table; "" means the CIFAR family's network of Depth layers
	Depth    int    // layers, 6n+2; 0 with a Row
	Residual bool
	Seed     uint64
	// Values are the keys that a sweep sets, as key=value; Row and Depth are empty then.
	Values []string
	// Preset is the configuration of this network, where it is not that of the comparison.
	Preset string
}

// Model is the network without its seed: plain56, resnet56, or rate=0.1,batch=64 of a sweep.
func (n Net) Model() string {
	if n.Values != nil {
		return folderName(n.Values)
	}
	if n.Row != "" {
		return n.Row
	}
	if n.Residual {
		return fmt.Sprintf("resnet%d", n.Depth)
	}
	return fmt.Sprintf("plain%d", n.Depth)
}

// Name is that of the run's folder: resnet56-seed1.
func (n Net) Name() string { return fmt.Sprintf("%s-seed%d", n.Model(), n.Seed) }

// Sets are the values of the configuration that make it this network's, as key=value.
func (n Net) Sets() []string {
	if n.Values != nil {
		return append(slices.Clone(n.Values), fmt.Sprintf("train.seed=%d", n.Seed))
	}
	if n.Row != "" {
		return []string{"model.name=" + n.Row, fmt.Sprintf("train.seed=%d", n.Seed)}
	}
	return []string{
		"model.family=cifar", fmt.Sprintf("model.depth=%d", n.Depth), fmt.Sprintf("model.residual=%v", n.Residual),
		fmt.Sprintf("train.seed=%d", n.Seed),
	}
}

// PlainVsResidual lists the trainings of both kinds: seed by seed, shallow before deep, so that an
// interrupted comparison has whole sets. It fails with ErrPlan, naming the value.
func PlainVsResidual(depths []int, seeds []uint64) ([]Net, error) {
	return plan(depths, seeds, []bool{false, true})
}

// Depth lists the trainings of residual networks alone, in the same order.
func Depth(depths []int, seeds []uint64) ([]Net, error) { return plan(depths, seeds, []bool{true}) }

// Pairs lists the trainings of plain networks and their residual counterparts, all rows of the
// table, seed by seed.
func Pairs(rows [][2]string, seeds []uint64) ([]Net, error) {
	if err := checkSeeds(seeds); err != nil {
		return nil, err
	}
	var nets []Net
	for _, s := range seeds {
		for _, pair := range rows {
			nets = append(nets, Net{Row: pair[0], Seed: s}, Net{Row: pair[1], Residual: true, Seed: s})
		}
	}
	return nets, nil
}

func plan(depths []int, seeds []uint64, kinds []bool) ([]Net, error) {
	if len(depths) == 0 {
		return nil, fmt.Errorf("%w: no depths", ErrPlan)
	}
	if err := checkSeeds(seeds); err != nil {
		return nil, err
	}
	depths = slices.Clone(depths)
	slices.Sort(depths)
	for i, d := range depths {
		switch {
		case d < 8 || (d-2)%6 != 0:
			return nil, fmt.Errorf("%w: depth %d is not 6n+2 (8, 14, 20, ...)", ErrPlan, d)
		case i > 0 && d == depths[i-1]:
			return nil, fmt.Errorf("%w: depth %d is given twice", ErrPlan, d)
		}
	}
	var nets []Net
	for _, s := range seeds {
		for _, d := range depths {
			for _, residual := range kinds {
				nets = append(nets, Net{Depth: d, Residual: residual, Seed: s})
			}
		}
	}
	return nets, nil
}

func checkSeeds(seeds []uint64) error {
	if len(seeds) == 0 {
		return fmt.Errorf("%w: no seeds", ErrPlan)
	}
	for i, s := range seeds {
		if slices.Contains(seeds[:i], s) {
			return fmt.Errorf("%w: seed %d is given twice", ErrPlan, s)
		}
	}
	return nil
}
