package graph_test

import (
	"fmt"

	"resnet/internal/graph"
)

// A network is drawn with a Builder, forward alone, and Finish adds the backward half. The tape
// runs it as it is written: here one residual block learns one batch by heart.
func Example() {
	params := graph.NewParamSet(1)
	b := graph.NewBuilder("block", graph.Train, params, graph.Options{})
	x := b.Input(4, 1, 5, 5)
	conv := func(name string, x *graph.Node) *graph.Node {
		return b.BatchNorm("bn"+name, b.Conv("conv"+name, x, graph.ConvOpts{Filters: 3, Kernel: 3, Stride: 1, Pad: 1}))
	}
	stem := b.ReLU(conv("0", x))
	y := b.ReLU(b.Add(conv("2", b.ReLU(conv("1", stem))), stem)) // F(x) + x
	g, err := b.Finish(b.Linear("fc", b.GlobalAvgPool(y), 2))
	if err != nil {
		fmt.Println(err)
		return
	}
	tape, err := graph.NewTape(g, params)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tape.Close()

	images, labels := make([]float32, 4*25), []int32{0, 1, 0, 1}
	for i := range images {
		images[i] = float32((i*i)%7) - 3 // 25 values of each of four images
	}
	for step := range 41 {
		r, err := tape.Train(images, labels, graph.StepOptions{})
		if err != nil {
			fmt.Println(err)
			return
		}
		if step%40 == 0 {
			fmt.Printf("step %d: loss %.1f\n", step, r.Loss)
		}
		for _, p := range params.All() {
			for i, g := range p.Grad {
				p.Data[i] -= 0.5 * g
			}
		}
	}
	// Output:
	// step 0: loss 0.7
	// step 40: loss 0.0
}

// What cannot be drawn is an error with the place where it arose; the Builder's methods may be
// called on after it.
func ExampleBuilder() {
	b := graph.NewBuilder("net", graph.Eval, graph.NewParamSet(1), graph.Options{})
	x := b.Input(1, 3, 8, 8)
	l := b.In("layer1.0")
	y := l.Add(l.Conv("conv1", x, graph.ConvOpts{Filters: 16, Kernel: 3, Stride: 2, Pad: 1}), x)
	_, err := b.Finish(b.Linear("fc", b.GlobalAvgPool(y), 10))
	fmt.Println(err)
	// Output: net/layer1.0: add: shapes [1 16 4 4] and [1 3 8 8]: shape mismatch
}
