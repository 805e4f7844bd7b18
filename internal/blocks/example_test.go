package blocks_test

import (
	"fmt"

	"resnet/internal/blocks"
	"resnet/internal/graph"
)

// An architecture is a row of the table; its shortcuts cost no parameters with option A.
func ExampleLookup() {
	for _, name := range []string{"plain20", "resnet20", "resnet20b", "resnet50"} {
		s, err := blocks.Lookup(name)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(s.Name, s.Depth(), s.Params)
	}
	_, err := blocks.Lookup("resent20")
	fmt.Println(err)
	// Output:
	// plain20 20 269722
	// resnet20 20 269722
	// resnet20b 20 272474
	// resnet50 50 25557032
	// unknown architecture "resent20" - did you mean "resnet20"?
}

// Build draws the graph of a row for one batch size. Graphs for training and for evaluation share
// their parameters.
func ExampleBuild() {
	s, err := blocks.Lookup("resnet20")
	if err != nil {
		fmt.Println(err)
		return
	}
	params := graph.NewParamSet(1)
	if _, err := blocks.Build(s, 128, graph.Train, params); err != nil {
		fmt.Println(err)
		return
	}
	before := len(params.All())
	if _, err := blocks.Build(s, 250, graph.Eval, params); err != nil {
		fmt.Println(err)
		return
	}
	values := 0
	for _, p := range params.All() {
		if p.Trainable() {
			values += len(p.Data)
		}
	}
	fmt.Println(before == len(params.All()), values)
	// Output: true 269722
}
