package train

import "resnet/internal/graph"

// The words that configuration fields accept.
const (
	DecayAll     = "all"
	DecayWeights = "weights"

	NonfiniteStop     = "stop"
	NonfiniteSkip     = "skip"
	NonfiniteRollback = "rollback"

	LossSoftmax = "softmax"
	LossBinary  = "binary"

	WeightsNone     = "none"
	WeightsBalanced = "balanced"

	SaveErrorStop     = "stop"
	SaveErrorContinue = "continue"
)

// DefaultWindow is the number of iterations over which the training error is averaged to end the
// warm-up. The paper names no window; with batches of 128 this one holds 12,800 images, and chance
// is 90 % ± 0.3.
const DefaultWindow = 100

// DefaultConfig is what a field left out means: the paper's optimizer and batch (He et al. 2016,
// section 4.2), at a constant rate for its 64,000 iterations.
func DefaultConfig() Config {
	return Config{
		Batch:      128,
		Accumulate: 1,
		Iterations: 64000,
		Precision:  graph.Float32.String(),
		Seed:       1,
		Optimizer:  Optimizer{Name: OptimizerSGD, Momentum: 0.9, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, Trust: 0.001, WeightDecay: 1e-4, Decay: DecayAll},
		Schedule: Schedule{
			Rate:    0.1,
			Drop:    Drop{Factor: 0.1},
			Plateau: Plateau{Patience: 10},
			Warmup:  Warmup{Until: Until{Window: DefaultWindow}},
		},
		Loss:        LossSoftmax,
		Weights:     WeightsNone,
		EMA:         EMA{Every: 1},
		Checkpoint:  Checkpoint{Keep: 3},
		OnNonfinite: NonfiniteStop,
		OnSaveError: SaveErrorStop,
	}
}
