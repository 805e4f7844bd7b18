package train

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"resnet/internal/fielderr"
	"resnet/internal/graph"
)

// The optimizers.
const (
	OptimizerSGD   = "sgd"
	OptimizerAdam  = "adam"
	OptimizerAdamW = "adamw"
	OptimizerLARS  = "lars"
	OptimizerLAMB  = "lamb"
)

// A Stepper is an optimizer over the parameters of a ParamSet. What it remembers between updates is
// in its Tensors, which every checkpoint holds.
type Stepper interface {
	// Step applies the gradients in Param.Grad, multiplied by scale, at the given rate.
	Step(rate float64, scale float32)
	// Tensors lists what a checkpoint has to keep; the slices share memory with the optimizer.
	Tensors() []Tensor
	// Load copies saved tensors into place and fails unless all are there, and nothing else.
	Load(ts []Tensor) error
}

// NewStepper makes the optimizer that o names. SGD updates with so many threads, 0 for all cores.
func NewStepper(o Optimizer, params *graph.ParamSet, threads int) Stepper {
	if o.adaptive() {
		return NewAdam(o, params)
	}
	s := NewSGD(o, params)
	s.Threads = threads
	return s
}

// adaptive reports whether the optimizer keeps the moments of gradients, as Adam does.
func (o Optimizer) adaptive() bool {
	return o.Name == OptimizerAdam || o.Name == OptimizerAdamW || o.Name == OptimizerLAMB
}

// StateValues is the number of float32 values that an optimizer keeps for a parameter of n.
func (o Optimizer) StateValues(n int64) int64 {
	switch {
	case o.adaptive():
		return 2 * n
	case o.Momentum != 0:
		return n
	}
	return 0
}

// decayOf is the weight decay of a parameter. Slopes of PReLU have none: it would draw
// them to zero, towards ReLU (He et al. 2015, arXiv:1502.01852, section 2.1).
func (o Optimizer) decayOf(p *graph.Param) float32 {
	if p.Kind == graph.KindSlope || o.Decay == DecayWeights && p.Kind != graph.KindWeight {
		return 0
	}
	return float32(o.WeightDecay)
}

// Frozen reports whether a parameter is left as it is: Freeze names its layer, or a stage or block
// that it is in.
func (o Optimizer) Frozen(name string) bool { return frozen(o.FrozenParts(), name) }

func frozen(parts []string, name string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.HasPrefix(name, part+".") })
}

// updated are the parameters that an update changes, in their order.
func (o Optimizer) updated(params *graph.ParamSet) (list []*graph.Param) {
	parts := o.FrozenParts()
	for _, p := range params.All() {
		if p.Trainable() && !frozen(parts, p.Name) {
			list = append(list, p)
		}
	}
	return list
}

// FreezeBackbone is an Optimizer.Freeze that stands for everything in front of the classifier.
// Whoever knows the network puts the names of its parts in its place.
const FreezeBackbone = "backbone"

// FrozenParts are the names in Freeze.
func (o Optimizer) FrozenParts() []string {
	var parts []string
	for _, part := range strings.Split(o.Freeze, ",") {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

// CheckFrozen requires that every name in Freeze is one of the network's, and that something is
// left to train.
func (o Optimizer) CheckFrozen(params *graph.ParamSet) error {
	for _, part := range o.FrozenParts() {
		if !slices.ContainsFunc(params.All(), func(p *graph.Param) bool { return strings.HasPrefix(p.Name, part+".") }) {
			return frozenError(fmt.Sprintf("the network has no %q", part), "name layers and stages as `resnet models show` does: conv1, bn1, layer1")
		}
	}
	if o.updated(params) == nil {
		return frozenError("nothing is left to train", "")
	}
	return nil
}

func frozenError(msg, hint string) error {
	return fielderr.Error{Section: "train", Path: "optimizer.freeze", Msg: msg, Hint: hint}
}

// rateOf is the multiple of the common rate by which a parameter learns. HeadRate 0 is 1: as where
// it is not set.
func (o Optimizer) rateOf(p *graph.Param) float64 {
	if o.HeadRate != 0 && p.Head {
		return o.HeadRate
	}
	return 1
}

// clipSlack is what torch.nn.utils.clip_grad_norm_ adds to the norm before it divides.
const clipSlack = 1e-6

// clipScale is the factor that brings gradients of a norm down to limit: min(1, limit / (norm +
// 1e-6)), as torch.nn.utils.clip_grad_norm_ has it. A limit of 0 is none.
func clipScale(norm, limit float64) float64 {
	if limit <= 0 {
		return 1
	}
	return math.Min(1, limit/(norm+clipSlack))
}

// gradientNorm is the 2-norm of all gradients that are applied together, summed in float64 in the
// order of the parameters.
func gradientNorm(o Optimizer, params *graph.ParamSet) float64 {
	var sum float64
	for _, p := range o.updated(params) {
		for _, g := range p.Grad {
			sum += float64(g) * float64(g)
		}
	}
	return math.Sqrt(sum)
}

// statePrefixes begin the names of optimizer state in a checkpoint.
var statePrefixes = []string{momentumPrefix, "adam.", trainedPrefix}

func isOptimizerState(name string) bool {
	return slices.ContainsFunc(statePrefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// loadTensors copies saved tensors over an optimizer's own, by name.
func loadTensors(own, saved []Tensor) error {
	byName := make(map[string]Tensor, len(saved))
	for _, t := range saved {
		byName[t.Name] = t
	}
	from := make([][]float32, len(own))
	for i, o := range own {
		t, ok := byName[o.Name]
		if !ok {
			return fmt.Errorf("resume: the checkpoint has no tensor %s", o.Name)
		}
		if len(t.Data) != len(o.Data) {
			return fmt.Errorf("resume: tensor %s has %d values, the model needs %d", o.Name, len(t.Data), len(o.Data))
		}
		from[i] = t.Data
		delete(byName, o.Name)
	}
	for name := range byName {
		return fmt.Errorf("resume: tensor %s belongs to no parameter of this model", name)
	}
	for i, o := range own { // only now: nothing is changed unless all fits
		copy(o.Data, from[i])
	}
	return nil
}
