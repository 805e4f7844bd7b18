package main

import (
	"fmt"
	"math"
	"strconv"

	"github.com/spf13/pflag"

	"resnet/internal/blocks"
	"resnet/internal/datasets/speech/corpus"
	"resnet/internal/graph"
	"resnet/internal/text"
)

// Bounds of what flags count. What memory allows is checked with the work at hand.
const (
	// maxThreads is more than any machine has.
	maxThreads  = 1024
	maxBatch    = graph.MaxBatch
	maxFrames   = blocks.MaxFrames
	maxBuckets  = corpus.MaxBuckets
	maxCount    = math.MaxInt32
	maxMeasured = 1_000_000 // steps, passes, milliseconds
)

// boundedInt is the value of a flag for a whole number. Every one is of this type, so that none
// can be larger than what it counts: TestNoWholeNumberIsWithoutBounds.
type boundedInt struct {
	to          *int
	least, most int
}

// bounded adds a flag for a whole number from least to most.
func bounded(f *pflag.FlagSet, to *int, name string, value, least, most int, usage string) {
	*to = value
	f.Var(&boundedInt{to, least, most}, name, usage)
}

// threadsFlag adds --threads.
func threadsFlag(f *pflag.FlagSet, to *int, usage string) {
	bounded(f, to, "threads", 0, 0, maxThreads, usage)
}

// Set implements pflag.Value.
func (b *boundedInt) Set(s string) error {
	n, err := strconv.ParseInt(s, 0, 64)
	if err != nil || n < int64(b.least) || n > int64(b.most) {
		return fmt.Errorf("a whole number from %s to %s is possible", text.Grouped(b.least), text.Grouped(b.most))
	}
	*b.to = int(n)
	return nil
}

// Type implements pflag.Value: help texts show it.
func (*boundedInt) Type() string { return "int" }

// String implements pflag.Value.
func (b *boundedInt) String() string {
	if b.to == nil {
		return "0"
	}
	return strconv.Itoa(*b.to)
}
