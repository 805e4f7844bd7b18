package graph_test

import (
	"testing"

	"resnet/internal/graph"
	"resnet/internal/graph/graphtest"
)

func TestTheTapeIsAMachine(t *testing.T) {
	graphtest.RunMachine(t, func(g *graph.Graph, p *graph.ParamSet) (graph.Machine, error) { return graph.NewTape(g, p) })
}
