package collective

import (
	"time"

	"resnet/internal/fielderr"
)

// Config is the `distributed` section: how processes that share a training talk. It changes no
// result but for Wire.
type Config struct {
	Bucket  int    `mapstructure:"bucket" yaml:"bucket" doc:"MiB of gradients that are added together at most, and of a small network an eighth, beside the backward pass of an update's last micro-batch"`
	Wire    string `mapstructure:"wire" yaml:"wire" doc:"float32 | bfloat16: gradients on their way; bfloat16 halves the traffic, and its results depend on the number of processes"`
	Timeout int    `mapstructure:"timeout" yaml:"timeout" doc:"seconds that a process waits for the others before the training is ended and the missing one named"`
}

// The bounds of a Config.
const (
	maxBucket  = 1 << 11 // MiB: a half, for each of two ranks, is what a message of MPI can count
	maxTimeout = 1 << 20
)

// DefaultConfig is what keys that are left out mean.
func DefaultConfig() Config { return Config{Bucket: 8, Wire: string(Float32), Timeout: 300} }

// Validate returns every error of the section.
func (c Config) Validate() []fielderr.Error {
	l := fielderr.List{Section: "distributed"}
	if c.Bucket < 1 || c.Bucket > maxBucket {
		l.Add("bucket", "8 is usual", "%d is not between 1 and %d MiB", c.Bucket, maxBucket)
	}
	if c.Wire != string(Float32) && c.Wire != string(BFloat16) {
		l.Add("wire", "float32 | bfloat16", "unknown value %q", c.Wire)
	}
	if c.Timeout < 1 || c.Timeout > maxTimeout {
		l.Add("timeout", "longer than an update, an evaluation and a checkpoint take", "%d is not between 1 and %d seconds", c.Timeout, maxTimeout)
	}
	return l.Errors
}

// Patience is Timeout as a duration.
func (c Config) Patience() time.Duration { return time.Duration(c.Timeout) * time.Second }
