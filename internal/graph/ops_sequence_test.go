package graph_test

import (
	"fmt"

	"resnet/internal/graph"
	"resnet/internal/graph/graphtest"
)

// sequenceCases have utterances of several lengths, the shortest of one frame.
func sequenceCases() []graphtest.Case {
	state := &graph.Sequences{Lengths: []int32{5, 3, 1}}
	maps := graph.ImageShape{N: 3, C: 2, H: 4, W: 5}
	x := free(3, 2, 4, 5)
	cases := []graphtest.Case{
		op("UtteranceNorm", &graph.UtteranceNorm{ImageShape: maps, Eps: 0.1, ID: 1, State: state}, x, free(2), free(2)),
		op("FrequencyLinear", &graph.FrequencyLinear{ImageShape: maps, ID: 1, State: state}, x, free(4), free(1)),
		op("ChannelBias", &graph.ChannelBias{ImageShape: maps, ID: 1}, x, free(2)),
		op("Channels", &graph.Channels{ImageShape: graph.ImageShape{N: 2, C: 5, H: 2, W: 3}, From: 1, Count: 3, ID: 1}, free(2, 5, 2, 3)),
		op("FrameMaps", &graph.FrameMaps{ImageShape: maps, ID: 1, State: state}, free(3, 8, 1, 5)),
		op("FrameRows", &graph.FrameRows{N: 3, K: 2, T: 5, ID: 1}, free(3, 2, 1, 5)),
		op("UtteranceMean", &graph.UtteranceMean{N: 3, K: 2, T: 5, ID: 1, State: state}, free(3, 2, 1, 5)),
		op("FrameCrossEntropy", &graph.FrameCrossEntropy{N: 2, T: 3, K: 4, ID: 1}, free(2, 12), leaf{Shape: []int{6}, Values: []float64{3, -1, 0, 2, -1, 1}, Fixed: true}),
		op("FrameCrossEntropy/none", &graph.FrameCrossEntropy{N: 1, T: 2, K: 3, ID: 1}, free(1, 6), leaf{Shape: []int{2}, Values: []float64{-1, -1}, Fixed: true}),
	}
	for _, reverse := range []bool{false, true} {
		s := graph.LSTMShape{N: 3, U: 2, T: 5}
		cases = append(cases, graphtest.Case{Name: fmt.Sprintf("LSTM/reverse %v", reverse), Leaves: []leaf{free(3, 8, 1, 5), free(8, 2)}, Build: func(in []*node) (*node, error) {
			y, err := graph.Apply(&graph.LSTM{LSTMShape: s, Reverse: reverse, ID: 1, State: state}, in...)
			if err != nil {
				return nil, err
			}
			return graph.Apply(&graph.Channels{ImageShape: graph.ImageShape{N: 3, C: 12, H: 1, W: 5}, Count: 2, ID: 1}, y)
		}})
	}
	return cases
}
