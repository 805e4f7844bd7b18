package train

import (
	"strings"

	"resnet/internal/graph"
)

// trainedPrefix comes before the name of a parameter or statistic in the state of a checkpoint
// whose model file holds their moving average: the value that training goes on with.
const trainedPrefix = "trained."

// average is the moving average of parameters and running statistics. While it is swapped in, the
// parameters hold the average and it holds what is trained.
type average struct {
	o      EMA
	params []*graph.Param
	values [][]float32
	still  []bool // parameters that never change: their average is themselves, without rounding
}

// newAverage begins with the parameters' values; nil where there is no average.
func newAverage(o EMA, opt Optimizer, params *graph.ParamSet) *average {
	if o.Decay == 0 {
		return nil
	}
	a := &average{o: o, params: params.All()}
	for _, p := range a.params {
		a.values = append(a.values, append([]float32(nil), p.Data...))
		a.still = append(a.still, opt.FreezeStats && opt.Frozen(p.Name))
	}
	return a
}

// update takes the values after so many updates in: average = Decay·average + (1-Decay)·value.
func (a *average) update(step int) {
	if a == nil || step%max(a.o.Every, 1) != 0 {
		return
	}
	keep, take := float32(a.o.Decay), float32(1-a.o.Decay)
	for i, p := range a.params {
		if a.still[i] {
			continue
		}
		v := a.values[i]
		for j, x := range p.Data {
			v[j] = float32(keep*v[j]) + float32(take*x)
		}
	}
}

// swap exchanges the average and what is trained.
func (a *average) swap() {
	if a == nil {
		return
	}
	for i, p := range a.params {
		v := a.values[i]
		for j, x := range p.Data {
			p.Data[j], v[j] = v[j], x
		}
	}
}

// tensors are what it holds, under the names that a checkpoint gives them while it is swapped in.
// They share memory with it.
func (a *average) tensors() []Tensor {
	if a == nil {
		return nil
	}
	ts := make([]Tensor, len(a.params))
	for i, p := range a.params {
		ts[i] = Tensor{Name: trainedPrefix + p.Name, Shape: p.Shape, Data: a.values[i]}
	}
	return ts
}

// resume takes over a checkpoint: the parameters hold its model, the average, and saved what was
// trained.
func (a *average) resume(saved []Tensor) error {
	if err := loadTensors(a.tensors(), saved); err != nil {
		return err
	}
	a.swap()
	return nil
}

// splitTrained tells the optimizer's state from the values that are trained.
func splitTrained(ts []Tensor) (optimizer, trained []Tensor) {
	for _, t := range ts {
		if strings.HasPrefix(t.Name, trainedPrefix) {
			trained = append(trained, t)
		} else {
			optimizer = append(optimizer, t)
		}
	}
	return optimizer, trained
}

// AverageValues is the number of float32 values that a moving average keeps of n.
func (c Config) AverageValues(n int64) int64 {
	if c.EMA.Decay == 0 {
		return 0
	}
	return n
}
