package blocks

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"resnet/internal/graph"
)

// drawnKinds are the types in the listing of operators without parameters, where they are not the
// operator's name in lower case.
var drawnKinds = map[string]string{"ShortcutPad": "shortcut-pad", "GlobalAvgPool": "gap"}

// partOf says of operators that are no layer which layer they belong to: the one that they read, or
// the one that reads them.
var partOf = map[string]string{"BatchStats": "reader", "Channels": "read", "FrameRows": "read", "UtteranceMean": "read"}

// drawnNet is a graph as layers: what each reads, and of what size it is.
type drawnNet struct {
	inputs map[string][]string
	shapes map[string][]int
}

// contract walks a built graph back from its logits, and joins nodes to layers: those that read
// parameters of one prefix, the poolings of a pyramid, and those of partOf. Layers without
// parameters are counted by their kind in the order of drawing, "relu 3".
func contract(t *testing.T, g *graph.Graph) drawnNet {
	t.Helper()
	nodes := slices.DeleteFunc(slices.Clone(g.G.AllNodes()), func(n *graph.Node) bool { return !g.Forward(n) })
	slices.SortFunc(nodes, func(a, b *graph.Node) int { return int(a.ID() - b.ID()) })
	params := map[*graph.Node]string{}
	for _, p := range g.Params {
		name := p.Param.Name
		params[p.Node] = name[:max(0, strings.LastIndex(name, "."))]
	}
	kind := func(n *graph.Node) string { return reflect.TypeOf(graph.OpOf(n)).Elem().Name() }
	readers := map[*graph.Node][]*graph.Node{}
	loss := map[*graph.Node]bool{g.Labels: g.Labels != nil}
	for _, n := range nodes {
		for _, from := range graph.Children(n) {
			readers[from] = append(readers[from], n)
			loss[n] = loss[n] || loss[from]
		}
	}
	names := map[*graph.Node]string{}
	counts := map[string]int{}
	var pyramids []*graph.Node
	for _, n := range nodes {
		switch {
		case loss[n] || params[n] != "":
			continue
		case n == g.Input:
			names[n] = "input"
			continue
		}
		layer := ""
		for _, from := range graph.Children(n) {
			layer = max(layer, params[from])
		}
		switch what := kind(n); {
		case layer != "":
			names[n] = layer
		case partOf[what] == "read":
			names[n] = names[graph.Children(n)[0]]
		case partOf[what] == "reader":
		case what == "Flatten" && len(graph.Children(n)) > 1:
			pyramids = append(pyramids, n)
		case what == "MaxPool" && len(readers[n]) == 1 && kind(readers[n][0]) == "Flatten" && len(graph.Children(readers[n][0])) > 1:
		default:
			counts[what]++
			names[n] = fmt.Sprint(cmp.Or(drawnKinds[what], strings.ToLower(what)), " ", counts[what])
		}
	}
	for i, n := range pyramids {
		names[n] = fmt.Sprint("pyramid ", i+1)
	}
	for _, n := range nodes { // what is read by its layer alone
		if names[n] == "" && !loss[n] && params[n] == "" {
			names[n] = names[readers[n][0]]
		}
	}
	d := drawnNet{map[string][]string{}, map[string][]int{}}
	for _, n := range nodes {
		layer := names[n]
		if layer == "" || n == g.Input {
			continue
		}
		if what := kind(n); what != "FrameRows" && what != "UtteranceMean" && what != "BatchStats" {
			d.shapes[layer] = n.Shape()[1:]
		}
		for _, from := range graph.Children(n) {
			if name := names[from]; name != "" && name != layer && !slices.Contains(d.inputs[layer], name) {
				d.inputs[layer] = append(d.inputs[layer], name)
			}
		}
	}
	return d
}

// listed is the listing in the same form. Evaluation leaves out what is there in training alone.
func listed(s Spec, mode graph.Mode) drawnNet {
	d := drawnNet{map[string][]string{}, map[string][]int{}}
	names := map[string]string{"input": "input"}
	counts := map[string]int{}
	for _, l := range trace(s) {
		name := l.Name
		switch {
		case mode == graph.Eval && l.Training:
			continue
		case mode == graph.Eval && l.Type == "dropout":
			names[l.Name] = names[l.Inputs[0]]
			continue
		case len(l.Shapes) == 0:
			counts[l.Type]++
			name = fmt.Sprint(l.Type, " ", counts[l.Type])
		}
		names[l.Name] = name
		for _, from := range l.Inputs {
			d.inputs[name] = append(d.inputs[name], names[from])
		}
		d.shapes[name] = l.Output
	}
	return d
}

// hollow are parameters without values, so that the largest networks are drawn in no time.
func hollow(s Spec) *graph.ParamSet {
	params := graph.NewParamSet(1)
	for _, l := range trace(s) {
		for _, part := range []string{"weight", "bias", "running_mean", "running_var"} {
			if shape := l.Shapes[part]; shape != nil {
				params.Add(&graph.Param{Name: l.Name + "." + part, Shape: shape})
			}
		}
	}
	return params
}

// edgeCases are all rows of the table, their families at other depths and the choices that no row
// makes.
func edgeCases(t *testing.T) []Spec {
	t.Helper()
	specs := slices.Clone(table)
	for _, name := range []string{
		"cifar-plain8", "cifar-resnet8", "cifar-resnet14b", "cifar-resnet26c", "resnet20b", "resnet56c", "plain18", "resnet50v1.5c", "resnet50-caffec",
	} {
		s, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		specs = append(specs, s)
	}
	wide, err := Lookup("wrbn")
	if err != nil {
		t.Fatal(err)
	}
	wide.Name, wide.Depths = "wrbn with dropout", []int{1, 2, 1}
	wide.Speech.Dropout, wide.Speech.Directions, wide.Speech.Dense = 0.3, []string{DirectionsConcat, DirectionsSum, DirectionsSum}, 0
	digits := wide.clone()
	digits.Name, digits.Speech.Output, digits.Speech.Dense = "wrbn of utterances", OutputUtterance, 7
	deep := wide.clone()
	deep.Name, deep.Speech.Directions = "wrbn without recurrent layers", nil
	return append(specs, wide, digits, deep)
}

// TestListingHasTheGraphsEdges: for every row, what each layer reads and its size in `models show`
// are those of the graph that is trained, and of the one that is evaluated.
func TestListingHasTheGraphsEdges(t *testing.T) {
	for _, s := range edgeCases(t) {
		if testing.Short() && s.Depth() > 200 {
			continue
		}
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			for _, mode := range []graph.Mode{graph.Train, graph.Eval} {
				o := graph.Options{Frozen: func(name string) bool { return name != s.Head()+".weight" }}
				g, err := buildAny(s, mode, o)
				if err != nil {
					t.Fatal(err)
				}
				compareNets(t, mode, contract(t, g), listed(s, mode))
			}
		})
	}
}

func buildAny(s Spec, mode graph.Mode, o graph.Options) (*graph.Graph, error) {
	if s.Family == FamilySpeech {
		return buildSequence(s, 2, 5, mode, hollow(s), o)
	}
	return build(s, 2, mode, hollow(s), o)
}

func compareNets(t *testing.T, mode graph.Mode, graphs, listing drawnNet) {
	t.Helper()
	for name, inputs := range graphs.inputs {
		got, ok := listing.inputs[name]
		if !ok {
			t.Errorf("%v: %s of the graph is not listed", mode, name)
			continue
		}
		if !slices.Equal(got, inputs) {
			t.Errorf("%v: %s reads %v, in the listing %v", mode, name, inputs, got)
		}
		want := graphs.shapes[name]
		switch shape := listing.shapes[name]; {
		case slices.Equal(shape, want): // of an image
		case len(want) == 3 && slices.Equal(shape, want[:2]): // of a frame
		case len(want) == 3 && want[1] == 1 && slices.Equal(shape, want[:1]): // logits of a frame
		default:
			t.Errorf("%v: %s is %v, in the listing %v", mode, name, want, shape)
		}
	}
	for name := range listing.inputs {
		if _, ok := graphs.inputs[name]; !ok {
			t.Errorf("%v: the graph has no %s", mode, name)
		}
	}
}
