package experiment

import (
	"errors"
	"fmt"
	"sync"

	"resnet/internal/config"
	"resnet/internal/eval"
	"resnet/internal/graph"
	"resnet/internal/graph/schedule"
	"resnet/internal/text"
)

// Environment is what a process lends to its experiments.
type Environment struct {
	// Machine is how graphs are executed: "" or "schedule", a schedule of kernels, or "tape",
	// Gorgonia's tape machine with the reference operators, the slow oracle.
	Machine string
	// Self is the program as the user called it, for commands to paste.
	Self string
	// Version is the program's, and Command the command line; both go into records.
	Version string
	Command []string
	// Variable is a variable of the process's environment, for paths that name one; it may be nil.
	Variable func(name string) (value string, ok bool)
	// Say is told remarks, a line each. It may be nil, and has to be safe for concurrent use.
	Say func(line string)

	// compile is schedule.Compile; tests see what it is asked for.
	compile func(*graph.Graph, schedule.Options) (*schedule.Machine, error)
	asked   sync.Once
	room    allowance // what the system leaves, as it was when it was asked
}

func (e *Environment) say(format string, args ...any) {
	if e.Say != nil {
		e.Say(fmt.Sprintf(format, args...))
	}
}

// Compile is the one place that chooses how a graph is executed.
func (e *Environment) Compile(g *graph.Graph, params *graph.ParamSet, o schedule.Options) (graph.Machine, error) {
	switch e.Machine {
	case "", "schedule":
		memory := e.allowed(o.Limit)
		o.Limit = memory.bytes
		compile := e.compile
		if compile == nil {
			compile = schedule.Compile
		}
		m, err := compile(g, o)
		if large := new(schedule.TooLargeError); errors.As(err, &large) {
			return nil, &config.UsageError{Err: &largeError{fmt.Sprintf("%s: a batch of %d needs at least %s of memory, and %s: a smaller --batch takes less",
				text.Printable(g.Name), g.N, text.Bytes(large.Need), memory.why), err}}
		}
		if err != nil {
			return nil, err // not m: a nil *schedule.Machine is not a nil Machine
		}
		return m, nil
	case "tape":
		if o.Precision != graph.Float32 {
			return nil, config.Usagef("RESNET_MACHINE=tape computes in float32 alone, and %s is asked for: unset it, or set --precision float32", o.Precision)
		}
		return graph.NewTape(g, params)
	}
	return nil, config.Usagef("RESNET_MACHINE=%s: schedule or tape", e.Machine)
}

// limited compiles networks for a device, with a limit of bytes for each machine; 0 means what the
// system leaves.
func (e *Environment) limited(on device, limit int64) eval.Factory {
	return eval.Factory{
		NewArena: func() eval.Arena { return new(schedule.Arena) },
		Compile: func(g *graph.Graph, params *graph.ParamSet, o eval.MachineOptions) (graph.Machine, error) {
			arena, _ := o.Arena.(*schedule.Arena) // nil where there is none
			so := on.options(limit)
			so.Frozen, so.Arena = o.Frozen, arena
			return e.Compile(g, params, so)
		},
	}
}

// largeError is a machine that does not fit, in the user's words.
type largeError struct {
	text string
	err  error
}

func (e *largeError) Error() string { return e.text }
func (e *largeError) Unwrap() error { return e.err }
