package experiment

import (
	"context"

	"resnet/internal/datasets"
	"resnet/internal/datasets/speech/corpus"
)

// DataSets are the data sets that a command has opened, so that several networks share one: a set
// may be held in memory, whole.
type DataSets struct {
	sets    map[dataKey]*datasets.Dataset
	corpora map[dataKey]*corpus.Corpus
}

// dataKey identifies a data set: all that its contents depend on.
type dataKey struct {
	cfg    datasets.Config
	speech corpus.Config
	seed   uint64
}

// NewDataSets holds none yet.
func NewDataSets() DataSets {
	return DataSets{map[dataKey]*datasets.Dataset{}, map[dataKey]*corpus.Corpus{}}
}

// images is datasets.Open, once for each configuration. The seed draws the validation split alone.
func (d DataSets) images(ctx context.Context, cfg datasets.Config, seed uint64) (*datasets.Dataset, error) {
	return once(d.sets, newKey(cfg, corpus.Config{}, seed), func() (*datasets.Dataset, error) { return datasets.Open(ctx, cfg, seed) })
}

// corpus is corpus.Open, once for each configuration.
func (d DataSets) corpus(ctx context.Context, cfg datasets.Config, speech corpus.Config, seed uint64) (*corpus.Corpus, error) {
	return once(d.corpora, newKey(cfg, speech, seed), func() (*corpus.Corpus, error) { return corpus.Open(ctx, cfg, speech, seed) })
}

func newKey(cfg datasets.Config, speech corpus.Config, seed uint64) dataKey {
	if cfg.Validation == 0 {
		seed = 0
	}
	return dataKey{cfg, speech, seed}
}

// once opens what a key stands for unless it is open.
func once[T any](opened map[dataKey]*T, key dataKey, open func() (*T, error)) (*T, error) {
	if opened[key] == nil {
		t, err := open()
		if err != nil {
			return nil, err
		}
		opened[key] = t
	}
	return opened[key], nil
}
