package main

import (
	"context"

	"resnet/internal/datasets"
)

// dataSets are the data sets that a command has opened, so that several networks share one: a set may be held in memory, whole.
type dataSets map[dataKey]*datasets.Dataset

// dataKey tells data sets apart.
type dataKey struct {
	cfg  datasets.Config
	seed uint64
}

// open is datasets.Open, once for each configuration. The seed draws the validation split alone.
func (d dataSets) open(ctx context.Context, cfg datasets.Config, seed uint64) (*datasets.Dataset, error) {
	if cfg.Validation == 0 {
		seed = 0
	}
	key := dataKey{cfg, seed}
	if d[key] == nil {
		ds, err := datasets.Open(ctx, cfg, seed)
		if err != nil {
			return nil, err
		}
		d[key] = ds
	}
	return d[key], nil
}
