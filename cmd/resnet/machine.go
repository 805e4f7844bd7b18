package main

import (
	"resnet/internal/eval"
	"resnet/internal/graph"
	"resnet/internal/graph/kernel"
	"resnet/internal/graph/schedule"
)

// newMachine is the one place that chooses how a graph is executed: as a schedule of kernels.
// RESNET_MACHINE=tape takes Gorgonia's tape machine with the reference operators instead, the slow
// oracle.
func (a *app) newMachine(g *graph.Graph, params *graph.ParamSet, threads int) (graph.Machine, error) {
	return a.newMachineWith(schedule.Options{Threads: threads}, g, params)
}

// newMachineWith is newMachine with options of the schedule.
func (a *app) newMachineWith(o schedule.Options, g *graph.Graph, params *graph.ParamSet) (graph.Machine, error) {
	switch name := a.getenv("RESNET_MACHINE"); name {
	case "", "schedule":
		m, err := schedule.Compile(g, o)
		if err != nil {
			return nil, err // not m: a nil *Machine is not a nil Machine
		}
		return m, nil
	case "tape":
		return graph.NewTape(g, params)
	default:
		return nil, usageErrorf("RESNET_MACHINE=%s: schedule or tape", name)
	}
}

// factory makes machines for so many threads, for packages that meet the graphs.
func (a *app) factory(threads int) eval.Factory {
	return eval.Factory{
		NewArena: func() eval.Arena { return new(schedule.Arena) },
		Compile: func(g *graph.Graph, params *graph.ParamSet, o eval.MachineOptions) (graph.Machine, error) {
			arena, _ := o.Arena.(*schedule.Arena) // nil where there is none
			return a.newMachineWith(schedule.Options{Threads: threads, Frozen: o.Frozen, Arena: arena}, g, params)
		},
	}
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
