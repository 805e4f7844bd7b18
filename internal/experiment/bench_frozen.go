package experiment

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"resnet/internal/blocks"
	"resnet/internal/config"
	"resnet/internal/graph"
	"resnet/internal/train"
)

// trainHead is the value of BenchOptions.Trainable for the classifier alone.
const trainHead = "head"

// frozen are the layers and stages that a measurement of a part of the network does not train, as
// train.optimizer.freeze names them.
func (b *bench) frozen() string {
	trained := strings.Split(strings.ReplaceAll(b.Trainable, " ", ""), ",")
	var names []string
	parts := b.parts()
	for _, part := range parts[:max(len(parts)-1, 0)] { // the last is the classifier
		if !slices.Contains(trained, part) {
			names = append(names, part)
		}
	}
	return strings.Join(names, ",")
}

// parts are those of the measured network.
func (b *bench) parts() []string { return partsOf(b.spec) }

// divide compiles the network with the layers frozen that are not trained.
func (b *bench) divide(env *Environment, params *graph.ParamSet, limit int64) error {
	if b.Mode != "train" {
		return config.Usagef("--trainable %s: inference trains nothing", b.Trainable)
	}
	known := b.parts()
	for _, t := range strings.Split(b.Trainable, ",") {
		if t = strings.TrimSpace(t); t != trainHead && !slices.Contains(known, t) {
			return config.Usagef("--trainable %s: %s has %s", b.Trainable, b.spec.Name, strings.Join(append([]string{trainHead}, known...), ", "))
		}
	}
	o := train.Optimizer{Freeze: b.frozen()}
	g, m, err := env.compileDivided(b.spec, b.Batch, params, graph.Options{Frozen: o.Frozen}, b.device(), limit)
	if b.Features && err == nil {
		divided := m.(*dividedMachine)
		divided.below.Close()
		m = divided.above
	}
	if errors.Is(err, blocks.ErrSpec) {
		return &config.UsageError{Err: fmt.Errorf("--trainable %s: %w", b.Trainable, err)}
	}
	if err != nil {
		return err
	}
	if b.machine = m; !b.Features {
		b.imageLen = b.spec.InputChannels * b.spec.InputSize * b.spec.InputSize
	}
	b.step = b.newStep(g, params, graph.Train)
	return nil
}

// trainedMACs are the multiply-adds of the layers that are trained, for an image.
func (b *bench) trainedMACs() (n int64) {
	sum, err := blocks.Summarize(b.spec)
	if err != nil {
		return 0
	}
	o := train.Optimizer{Freeze: b.frozen()}
	for _, l := range sum.Layers {
		if !o.Frozen(l.Name + ".") {
			n += l.MACs
		}
	}
	return n
}
