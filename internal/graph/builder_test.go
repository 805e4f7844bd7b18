package graph

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func TestBuilderErrorNamesScopeAndShapes(t *testing.T) {
	b := NewBuilder("resnet56", Train, NewParamSet(1), Options{})
	x := b.Input(8, 16, 16, 16)
	y := b.Conv("conv1", x, ConvOpts{Filters: 32, Kernel: 3, Stride: 1, Pad: 1})
	s := b.In("layer2.0").In("shortcut")
	if n := s.Add(y, x); n != nil {
		t.Errorf("a failed Add returned %v", n)
	}
	want := "resnet56/layer2.0.shortcut: add: shapes [8 32 16 16] and [8 16 16 16]: shape mismatch"
	if err := b.Err(); err == nil || err.Error() != want || !errors.Is(err, ErrShape) {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	// The error sticks: later calls return nil, change nothing and keep the first error.
	for name, n := range map[string]*Node{
		"Conv": b.Conv("late", nil, ConvOpts{}), "BatchNorm": b.BatchNorm("late", nil), "ReLU": b.ReLU(nil),
		"Linear": b.Linear("late", nil, 0), "Dropout": b.Dropout("late", nil, 0.5), "Concat": b.Concat(nil), "Input": b.Input(0, 0, 0, 0),
	} {
		if n != nil {
			t.Errorf("%s returned a node after an error", name)
		}
	}
	if _, err := b.Finish(nil); err == nil || err.Error() != want {
		t.Errorf("Finish returned %v", err)
	}
}

func TestBuilderRejectsWhatCannotBe(t *testing.T) {
	conv := func(o ConvOpts) func(*Builder, *Node) *Node {
		return func(b *Builder, x *Node) *Node { return b.Conv("c", x, o) }
	}
	pool := func(o PoolOpts) func(*Builder, *Node) *Node {
		return func(b *Builder, x *Node) *Node { return b.MaxPool(x, o) }
	}
	for _, c := range []struct {
		name, want string
		draw       func(*Builder, *Node) *Node
	}{
		{"no filters", "net: c: convolution {Filters:0", conv(ConvOpts{Kernel: 1, Stride: 1})},
		{"stride 0", "at least 1", conv(ConvOpts{Filters: 1, Kernel: 1})},
		{"kernel too large", "net: c: a 5x5 kernel on 4x4 with padding 0", conv(ConvOpts{Filters: 1, Kernel: 5, Stride: 1})},
		{"window too large", "net: maxpool: a 5x5 window on 4x4", pool(PoolOpts{Kernel: 5, Stride: 1})},
		{"pad above half", "at most half", pool(PoolOpts{Kernel: 2, Stride: 1, Pad: 2})},
		{"fewer channels", "net: shortcut: 3 channels to 2", func(b *Builder, x *Node) *Node { return b.ShortcutPad(x, 2, 1, true) }},
		{"linear of images", "net: fc: shape [2 3 4 4] to 5 classes, want [N C]", func(b *Builder, x *Node) *Node { return b.Linear("fc", x, 5) }},
		{"pool of a matrix", "net: avgpool: shape [2 3], want [N C H W]", func(b *Builder, x *Node) *Node { return b.GlobalAvgPool(b.GlobalAvgPool(x)) }},
		{"probability 1", "net: drop: probability 1", func(b *Builder, x *Node) *Node { return b.Dropout("drop", x, 1) }},
		{"probability NaN", "net: drop: probability NaN", func(b *Builder, x *Node) *Node { return b.Dropout("drop", x, math.NaN()) }},
		{"negative alpha", "net: elu: alpha -1", func(b *Builder, x *Node) *Node { return b.ELU(x, -1) }},
		{"nil input", "net: relu: an input is missing", func(b *Builder, _ *Node) *Node { return b.ReLU(nil) }},
		{"concat of sizes", "net: concat: shapes [2 3 4 4] and [2 3 2 2]", func(b *Builder, x *Node) *Node {
			return b.Concat(x, b.MaxPool(x, PoolOpts{Kernel: 2, Stride: 2}))
		}},
		{"two inputs", "net: input: a graph has one input", func(b *Builder, _ *Node) *Node { return b.Input(1, 1, 1, 1) }},
		{"a negative pad", "at least 1, pad 0", conv(ConvOpts{Filters: 1, Kernel: 1, Stride: 1, Pad: -1})},
		{"a negative stride of columns", "at least 1, pad 0", conv(ConvOpts{Filters: 1, Kernel: 1, Stride: 1, StrideW: -1})},
		{"no kernel", "at least 1, pad 0", conv(ConvOpts{Filters: 1, Stride: 1})},
		{"no window", "pad at most half", pool(PoolOpts{Stride: 1})},
		{"a window's stride", "pad at most half", pool(PoolOpts{Kernel: 1})},
		{"a window's negative pad", "pad at most half", pool(PoolOpts{Kernel: 1, Stride: 1, Pad: -1})},
		{"shortcut's stride", "net: shortcut: 3 channels to 3 with stride 0", func(b *Builder, x *Node) *Node { return b.ShortcutPad(x, 3, 0, true) }},
		{"no classes", "net: fc: shape [2 3] to 0 classes", func(b *Builder, x *Node) *Node { return b.Linear("fc", b.GlobalAvgPool(x), 0) }},
		{"negative probability", "net: drop: probability -0.1", func(b *Builder, x *Node) *Node { return b.Dropout("drop", x, -0.1) }},
		{"infinite alpha", "net: elu: alpha +Inf", func(b *Builder, x *Node) *Node { return b.ELU(x, math.Inf(1)) }},
		{"concat of nothing", "net: concat: no inputs", func(b *Builder, _ *Node) *Node { return b.Concat() }},
		{"flatten nothing", "net: flatten: no inputs", func(b *Builder, _ *Node) *Node { return b.Flatten() }},
		{"flatten rows", "net: flatten: shape [2 3], want [N C H W]", func(b *Builder, x *Node) *Node { return b.Flatten(b.GlobalAvgPool(x)) }},
		{"an empty LRN", "net: lrn: {Size:0", func(b *Builder, x *Node) *Node { return b.LRN("lrn", x, LRNOpts{Bias: 1}) }},
		{"LRN without bias", "bias above 0", func(b *Builder, x *Node) *Node { return b.LRN("lrn", x, LRNOpts{Size: 1}) }},
		{"LRN of alpha -1", "not negative", func(b *Builder, x *Node) *Node { return b.LRN("lrn", x, LRNOpts{Size: 1, Bias: 1, Alpha: -1}) }},
		{"LRN of beta -1", "not negative", func(b *Builder, x *Node) *Node { return b.LRN("lrn", x, LRNOpts{Size: 1, Bias: 1, Beta: -1}) }},
		{"a pyramid's level", "net: pyramid: a 4x4 map has no level of 5x5", func(b *Builder, x *Node) *Node { return b.Pyramid(x, []int{1, 5}) }},
		{"a pyramid's window", "net: pyramid: a window of 5 on a 4x4 map", func(b *Builder, x *Node) *Node { return b.PyramidWindows(x, 5, []int{1}) }},
		{"no window of a pyramid", "net: pyramid: a window of 0 on", func(b *Builder, x *Node) *Node { return b.PyramidWindows(x, 0, []int{1}) }},
		{"a window's level", "has no level of 4x4", func(b *Builder, x *Node) *Node { return b.PyramidWindows(x, 3, []int{4}) }},
		{"linear on small maps", "net: fc: 2 units on windows of 5 of a 4x4 map", func(b *Builder, x *Node) *Node { return b.LinearConv("fc", x, 2, 5) }},
		{"linear of no units", "net: fc: 0 units", func(b *Builder, x *Node) *Node { return b.LinearConv("fc", x, 0, 1) }},
		{"gates of a map", "net: lstm: shape [2 3 4 4], want [N 4U 1 T]", func(b *Builder, x *Node) *Node { return b.LSTM("lstm", x, false) }},
		{"gates on several rows", "want [N 4U 1 T]", func(b *Builder, x *Node) *Node { return b.LSTM("lstm", b.Concat(x, x, x, x), false) }},
		{"channels past the end", "net: channels: 2 channels from 2 of 3", func(b *Builder, x *Node) *Node { return b.Channels(x, 2, 2) }},
		{"channels before the first", "net: channels: 1 channels from -1 of 3", func(b *Builder, x *Node) *Node { return b.Channels(x, -1, 1) }},
		{"no channels", "net: channels: 0 channels from 0 of 3", func(b *Builder, x *Node) *Node { return b.Channels(x, 0, 0) }},
		{"frames of a map", "as 1 maps, want [N D 1 T]", func(b *Builder, x *Node) *Node { return b.FrameTransform("t", x, 1) }},
		{"auxiliary images", "net: auxiliary: logits must be [N classes]", func(b *Builder, x *Node) *Node { b.Auxiliary(x, 1); return nil }},
		{"no auxiliary logits", "net: auxiliary: logits must be [N classes]", func(b *Builder, _ *Node) *Node { b.Auxiliary(nil, 1); return nil }},
		{"an auxiliary weight of 0", "net: auxiliary: weight 0", func(b *Builder, x *Node) *Node { b.Auxiliary(b.GlobalAvgPool(x), 0); return nil }},
		{"an infinite auxiliary weight", "net: auxiliary: weight +Inf", func(b *Builder, x *Node) *Node { b.Auxiliary(b.GlobalAvgPool(x), math.Inf(1)); return nil }},
		{"one name twice", `net/c: weight: parameter "c.weight" is used twice`, func(b *Builder, x *Node) *Node {
			o := ConvOpts{Filters: 3, Kernel: 1, Stride: 1}
			return b.Conv("c", b.Conv("c", x, o), o)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := NewBuilder("net", Train, NewParamSet(1), Options{})
			c.draw(b, b.Input(2, 3, 4, 4))
			if err := b.Err(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestBatchStatisticsOfOneValueAreRefused(t *testing.T) {
	for mode, ok := range map[Mode]bool{Train: false, Eval: true} {
		b := NewBuilder("net", mode, NewParamSet(1), Options{})
		b.BatchNorm("bn1", b.Input(1, 3, 1, 1))
		if (b.Err() == nil) != ok {
			t.Errorf("%v: %v", mode, b.Err())
		}
	}
}

func TestFinishRefusesLogitsThatAreNot(t *testing.T) {
	b := NewBuilder("net", Train, NewParamSet(1), Options{})
	if _, err := b.Finish(b.ReLU(b.Input(2, 3, 4, 4))); err == nil || !strings.Contains(err.Error(), "logits have shape [2 3 4 4]") {
		t.Errorf("got %v", err)
	}
}

func TestFinishNeedsAnInputLogitsAndSomethingToLearn(t *testing.T) {
	empty := NewBuilder("net", Train, NewParamSet(1), Options{})
	if _, err := empty.Finish(nil); err == nil || !strings.Contains(err.Error(), "needs an input and logits") {
		t.Errorf("no input: %v", err)
	}
	if n := NewBuilder("net", Train, NewParamSet(1), Options{}).Input(1, 0, 1, 1); n != nil {
		t.Errorf("an input without channels: %v", n)
	}
	frozen := NewBuilder("net", Train, NewParamSet(1), Options{Frozen: func(string) bool { return true }})
	if _, err := frozen.Finish(frozen.Linear("fc", frozen.GlobalAvgPool(frozen.Input(2, 3, 4, 4)), 5)); !errors.Is(err, ErrParam) {
		t.Errorf("all frozen: %v", err)
	}
}

// Frozen parameters have no gradient; Head marks the parameters of one layer, whatever begins with
// its name.
func TestFrozenAndHeadParameters(t *testing.T) {
	params := NewParamSet(1)
	b := NewBuilder("net", Train, params, Options{Frozen: func(name string) bool { return name == "conv1.weight" }})
	x := b.Conv("conv1", b.Input(2, 3, 4, 4), ConvOpts{Filters: 4, Kernel: 1, Stride: 1})
	in := b.In("a")
	y := in.Linear("fc", in.Linear("fc1", b.GlobalAvgPool(x), 7), 5)
	in.MarkHead("fc")
	g, err := b.Finish(y)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range g.Params {
		if (p.Grad == nil) != (p.Param.Name == "conv1.weight") {
			t.Errorf("%s has the gradient %v", p.Param.Name, p.Grad)
		}
		if want := p.Param.Name == "a.fc.weight" || p.Param.Name == "a.fc.bias"; p.Param.Head != want {
			t.Errorf("%s is of a head: %v", p.Param.Name, p.Param.Head)
		}
	}
}

func TestGraphsShareParametersAndDisagreeWithAnError(t *testing.T) {
	params := NewParamSet(1)
	draw := func(mode Mode, filters int) error {
		b := NewBuilder("net", mode, params, Options{})
		x := b.BatchNorm("bn1", b.Conv("conv1", b.Input(2, 3, 4, 4), ConvOpts{Filters: filters, Kernel: 3, Stride: 1, Pad: 1, Bias: true}))
		_, err := b.Finish(b.Linear("fc", b.GlobalAvgPool(x), 5))
		return err
	}
	if err := draw(Train, 4); err != nil {
		t.Fatal(err)
	}
	before := slices.Clone(params.All())
	if err := draw(Eval, 4); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(before, params.All()) {
		t.Error("the second graph created parameters")
	}
	var names []string
	for _, p := range before {
		names = append(names, p.Name)
	}
	want := []string{"conv1.weight", "conv1.bias", "bn1.weight", "bn1.bias", "bn1.running_mean", "bn1.running_var", "fc.weight", "fc.bias"}
	if !slices.Equal(names, want) {
		t.Errorf("parameters %v, want %v", names, want)
	}
	err := draw(Eval, 6)
	if !errors.Is(err, ErrParam) || !strings.Contains(err.Error(), `net/conv1: weight: the parameter has shape [4 3 3 3], this network wants [6 3 3 3]`) {
		t.Errorf("got %v", err)
	}
}

func TestInitialisersFollowTheirSourcesAndDependOnSeedAndNameAlone(t *testing.T) {
	draw := func(seed uint64, prefix string) *ParamSet {
		params := NewParamSet(seed)
		b := NewBuilder("net", Train, params, Options{})
		x := b.Input(1, 16, 4, 4)
		if prefix != "" { // another parameter first
			x = b.Conv(prefix, x, ConvOpts{Filters: 16, Kernel: 1, Stride: 1})
		}
		x = b.PReLU("act", b.BatchNorm("bn1", b.Conv("conv1", x, ConvOpts{Filters: 64, Kernel: 3, Stride: 1, Pad: 1})))
		b.Linear("fc", b.GlobalAvgPool(x), 100)
		if b.Err() != nil {
			t.Fatal(b.Err())
		}
		return params
	}
	p := draw(1, "")
	for name, want := range map[string]float32{"bn1.weight": 1, "bn1.bias": 0, "bn1.running_mean": 0, "bn1.running_var": 1, "act.weight": 0.25} {
		for _, v := range p.Get(name).Data {
			if v != want {
				t.Errorf("%s holds %g, want %g", name, v, want)
			}
		}
	}
	// 9,216 draws: the standard deviation of their deviation is 0.7 % of it, so 3 % is four of
	// those.
	mean, std := moments(p.Get("conv1.weight").Data)
	if want := math.Sqrt(2.0 / (16 * 9)); math.Abs(std/want-1) > 0.03 || math.Abs(mean) > 0.05*want {
		t.Errorf("conv1.weight has mean %g and deviation %g, want 0 and %g", mean, std, want)
	}
	for _, name := range []string{"fc.weight", "fc.bias"} {
		bound := float32(1 / math.Sqrt(64))
		data := p.Get(name).Data
		if low, high := slices.Min(data), slices.Max(data); low < -bound || high > bound || high < 0.8*bound || low > -0.8*bound {
			t.Errorf("%s lies in [%g, %g], want to fill ±%g", name, low, high, bound)
		}
	}
	if again := draw(1, "first"); !slices.Equal(again.Get("conv1.weight").Data, p.Get("conv1.weight").Data) {
		t.Error("the values depend on the order of creation")
	}
	if other := draw(2, ""); slices.Equal(other.Get("conv1.weight").Data, p.Get("conv1.weight").Data) {
		t.Error("the values do not depend on the seed")
	}
	if slices.Equal(p.Get("fc.weight").Data[:64], p.Get("fc.bias").Data[:64]) {
		t.Error("the values do not depend on the name")
	}
}

func moments(data []float32) (mean, std float64) {
	for _, v := range data {
		mean += float64(v) / float64(len(data))
	}
	for _, v := range data {
		std += (float64(v) - mean) * (float64(v) - mean) / float64(len(data))
	}
	return mean, math.Sqrt(std)
}

// The gradients of a residual net consist of this package's operators, of Gorgonia's sum where a
// tensor is used twice and of its constant 1: what package schedule can lower.
func TestGradientsOfAResidualNetHoldNoForeignOperators(t *testing.T) {
	g := smallNet(t, Train, tensor.Float32, NewParamSet(1), padSides)
	sums := 0
	for _, n := range g.G.AllNodes() {
		switch {
		case n.Op() == nil, OpOf(n) != nil, IsOne(n):
		case IsSum(n):
			sums++
		default:
			t.Errorf("node %s is a %T", n.Name(), n.Op())
		}
	}
	if sums != 2 { // one for each block
		t.Errorf("%d sums, want 2", sums)
	}
	for _, p := range g.Params {
		if !sameShape(p.Grad.Shape(), p.Node.Shape()) {
			t.Errorf("gradient of %s has shape %v, want %v", p.Param.Name, p.Grad.Shape(), p.Node.Shape())
		}
	}
	for _, n := range g.G.AllNodes() {
		if op, ok := OpOf(n).(*ConvInputGrad); ok && op.C == 2 {
			t.Error("the gradient with respect to the input image is computed")
		}
	}
}

func TestSortedPutsInputsFirst(t *testing.T) {
	g := smallNet(t, Train, tensor.Float32, NewParamSet(1), projection)
	nodes, err := g.Sorted()
	if err != nil {
		t.Fatal(err)
	}
	if len(nodes) != len(g.G.AllNodes()) {
		t.Fatalf("%d nodes, want %d", len(nodes), len(g.G.AllNodes()))
	}
	done := map[*Node]bool{}
	for _, n := range nodes {
		for _, c := range Children(n) {
			if !done[c] {
				t.Errorf("%s comes before its input %s", n.Name(), c.Name())
			}
		}
		done[n] = true
	}
}

func TestChildrenRepeatsARepeatedInput(t *testing.T) {
	b := NewBuilder("net", Eval, NewParamSet(1), Options{})
	x := b.Input(1, 1, 2, 2)
	y := b.Add(x, x)
	if in := Children(y); len(in) != 2 || in[0] != x || in[1] != x {
		t.Errorf("children %v", in)
	}
}

func TestCollisionsAreErrors(t *testing.T) {
	t.Run("operator", func(t *testing.T) {
		b := NewBuilder("net", Train, NewParamSet(1), Options{})
		x := b.Input(1, 1, 2, 2)
		if _, err := Apply(&ReLU{ID: 7}, x); err != nil {
			t.Fatal(err)
		}
		if _, err := Apply(&ReLU{ID: 7}, x); !errors.Is(err, ErrCollision) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("sum of gradients", func(t *testing.T) {
		g := smallNet(t, Train, tensor.Float32, NewParamSet(1), padSides)
		if err := verify(g, g.G.AllNodes()); err != nil {
			t.Fatalf("a sound graph: %v", err)
		}
		for _, n := range g.G.AllNodes() {
			if n.Op() != nil && IsSum(n) {
				g.G.RemoveNode(n) // as if it had merged into the other
				break
			}
		}
		if err := verify(g, g.G.AllNodes()); !errors.Is(err, ErrCollision) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("inputs of one hash on the tape", func(t *testing.T) {
		params := NewParamSet(1)
		b := NewBuilder("net", Eval, params, Options{})
		o := ConvOpts{Filters: 1, Kernel: 1, Stride: 1}
		x := b.Conv("conv2176240", b.Conv("conv1437786", b.Input(1, 1, 2, 2), o), o)
		g, err := b.Finish(b.GlobalAvgPool(x))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := NewTape(g, params); !errors.Is(err, ErrCollision) {
			t.Errorf("got %v; do the two weights still have one hash?", err)
		}
	})
}

func TestSharedAdditionsAreNoCollision(t *testing.T) {
	params := NewParamSet(1)
	b := NewBuilder("net", Train, params, Options{})
	in := b.Input(2, 2, 3, 3)
	o := ConvOpts{Filters: 2, Kernel: 1, Stride: 1}
	x, y := b.Conv("a", in, o), b.Conv("b", in, o)
	// Both sums of gradients are dp + dq: one node, rightly.
	p, q := b.Add(x, y), b.Add(x, y)
	if _, err := b.Finish(b.Linear("fc", b.GlobalAvgPool(b.Concat(b.ReLU(p), b.Sigmoid(q))), 2)); err != nil {
		t.Error(err)
	}
}

func TestOperatorErrorsInsteadOfPanics(t *testing.T) {
	x := tensor.New(tensor.WithShape(2, 2), tensor.WithBacking(make([]float32, 4)))
	noState := &Dropout{P: 0.5}
	if _, err := AsOp(noState).Do(x); err == nil || !strings.Contains(err.Error(), "Dropout") {
		t.Errorf("got %v", err)
	}
	if _, err := AsOp(&Linear{N: 2, C: 3, K: 1}).Do(x, x); !errors.Is(err, ErrShape) {
		t.Errorf("got %v", err)
	}
	view, err := x.Slice(nil, gorgonia.S(0))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := AsOp(&ReLU{}).Do(view); !errors.Is(err, ErrShape) {
		t.Errorf("a strided view: %v", err)
	}
	ints := tensor.New(tensor.WithShape(2), tensor.WithBacking([]int{1, 2}))
	if _, err := AsOp(&ReLU{}).Do(ints); err == nil || !strings.Contains(err.Error(), "element type") {
		t.Errorf("integers: %v", err)
	}
	if _, err := AsOp(&ReLU{}).Do(nil); err == nil {
		t.Error("no value: no error")
	}
}

// Graphs may be built on several goroutines at once; Gorgonia's shared constants are the danger
// (run with -race).
func TestGraphsCanBeBuiltConcurrently(t *testing.T) {
	for range 4 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			for range 5 {
				smallNet(t, Train, tensor.Float32, NewParamSet(1), padSides)
			}
		})
	}
}

// Operators of two types, with fields of the same values, are different expressions; so are lists
// of the same numbers cut in another place.
func TestTheHashTellsTypesAndListsApart(t *testing.T) {
	seen := map[uint32]string{}
	for name, op := range map[string]Operator{
		"ReLU": &ReLU{ID: 1}, "Sigmoid": &Sigmoid{ID: 1}, "Add": &Add{ID: 1}, "ReLUGrad": &ReLUGrad{ID: 1},
		"BatchStats": &BatchStats{ID: 1}, "ChannelBias": &ChannelBias{ID: 1},
		"Concat 1 23": &Concat{Channels: []int{1, 23}}, "Concat 12 3": &Concat{Channels: []int{12, 3}},
		"Concat 1 2 3": &Concat{Channels: []int{1, 2, 3}},
	} {
		h := AsOp(op).Hashcode()
		if other, ok := seen[h]; ok {
			t.Errorf("%s and %s have one hash", name, other)
		}
		seen[h] = name
	}
	a, b := &Dropout{P: 0.5, State: &DropoutState{Seed: 1}}, &Dropout{P: 0.5, State: &DropoutState{Seed: 2}}
	if AsOp(a).Hashcode() != AsOp(b).Hashcode() {
		t.Error("the hash depends on where the shared state is")
	}
}

// Apply says what does not fit, without what Gorgonia puts around it.
func TestApplyFailsWithTheShapesAlone(t *testing.T) {
	b := NewBuilder("net", Train, NewParamSet(1), Options{})
	x := b.GlobalAvgPool(b.Input(2, 3, 4, 4))
	for _, c := range []struct {
		op   Operator
		in   []*Node
		want string
	}{
		{&Linear{N: 2, C: 5, K: 3}, []*Node{x, x}, "Linear: input 0 has shape [2 3], want [2 5]: shape mismatch"},
		{&Linear{N: 2, C: 3, K: 3}, []*Node{x, x}, "Linear: input 1 has shape [2 3], want [3 3]: shape mismatch"},
	} {
		if _, err := Apply(c.op, c.in...); err == nil || err.Error() != c.want || !errors.Is(err, ErrShape) {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
	if _, err := Apply(&Add{ID: 1}, x, b.input); err == nil {
		t.Error("a matrix was added to images")
	}
	if _, err := (signature{elementwise: 2}).infer([]gorgonia.DimSizer{tensor.Shape{2}, tensor.Shape{3}}); err == nil || err.Error() != "shapes [2] and [3]: shape mismatch" {
		t.Errorf("got %v", err)
	}
	if _, err := (signature{elementwise: 2}).infer([]gorgonia.DimSizer{tensor.Shape{2}}); err == nil || err.Error() != "1 inputs, want 2: shape mismatch" {
		t.Errorf("got %v", err)
	}
	// A vector is no column, and no scalar.
	for _, other := range []tensor.Shape{{3, 1}, {1, 3}, {}, {3, 3}} {
		if sameShape(tensor.Shape{3}, other) || sameShape(other, tensor.Shape{3}) {
			t.Errorf("[3] and %v are taken for the same", []int(other))
		}
	}
}
