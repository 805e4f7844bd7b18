package main

import (
	"context"

	"resnet/internal/datasets"
	"resnet/internal/datasets/speech/corpus"
)

// dataSets are the data sets that a command has opened, so that several networks share one: a set
// may be held in memory, whole.
type dataSets struct {
	images  map[dataKey]*datasets.Dataset
	corpora map[dataKey]*corpus.Corpus
}

// dataKey tells data sets apart.
type dataKey struct {
	cfg    datasets.Config
	speech corpus.Config
	seed   uint64
}

func newDataSets() dataSets {
	return dataSets{map[dataKey]*datasets.Dataset{}, map[dataKey]*corpus.Corpus{}}
}

// open is datasets.Open, once for each configuration. The seed draws the validation split alone.
func (d dataSets) open(ctx context.Context, cfg datasets.Config, seed uint64) (*datasets.Dataset, error) {
	if cfg.Validation == 0 {
		seed = 0
	}
	key := dataKey{cfg: cfg, seed: seed}
	if d.images[key] == nil {
		ds, err := datasets.Open(ctx, cfg, seed)
		if err != nil {
			return nil, err
		}
		d.images[key] = ds
	}
	return d.images[key], nil
}

// corpus is corpus.Open, once for each configuration.
func (d dataSets) corpus(ctx context.Context, cfg datasets.Config, speech corpus.Config, seed uint64) (*corpus.Corpus, error) {
	if cfg.Validation == 0 {
		seed = 0
	}
	key := dataKey{cfg, speech, seed}
	if d.corpora[key] == nil {
		c, err := corpus.Open(ctx, cfg, speech, seed)
		if err != nil {
			return nil, err
		}
		d.corpora[key] = c
	}
	return d.corpora[key], nil
}
