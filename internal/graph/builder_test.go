package graph

import (
	"errors"
	"math"
	"regexp"
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
		switch n.Op().(type) {
		case nil, Kernel:
		default:
			if IsSum(n) {
				sums++
			} else if !IsOne(n) {
				t.Errorf("node %s is a %T", n.Name(), n.Op())
			}
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
		if op, ok := n.Op().(*ConvInputGrad); ok && op.C == 2 {
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
		if _, err := apply(&ReLU{ID: 7}, x); err != nil {
			t.Fatal(err)
		}
		if _, err := apply(&ReLU{ID: 7}, x); !errors.Is(err, ErrCollision) {
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
	if _, err := (&Dropout{P: 0.5}).Do(x); err == nil || !strings.Contains(err.Error(), "Dropout") { // no State
		t.Errorf("got %v", err)
	}
	if _, err := (&Linear{N: 2, C: 3, K: 1}).Do(x, x); !errors.Is(err, ErrShape) {
		t.Errorf("got %v", err)
	}
	view, err := x.Slice(nil, gorgonia.S(0))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (&ReLU{}).Do(view); !errors.Is(err, ErrShape) {
		t.Errorf("a strided view: %v", err)
	}
	ints := tensor.New(tensor.WithShape(2), tensor.WithBacking([]int{1, 2}))
	if _, err := (&ReLU{}).Do(ints); err == nil || !strings.Contains(err.Error(), "element type") {
		t.Errorf("integers: %v", err)
	}
	if _, err := (&ReLU{}).Do(nil); err == nil {
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

// TestForwardIsWhatWasDrawn tells the halves apart by the operators' names, as a list of types
// would.
func TestForwardIsWhatWasDrawn(t *testing.T) {
	backward := regexp.MustCompile(`Grad\b|Sums\b|^Row\b|^\+ `)
	for _, mode := range []Mode{Train, Eval} {
		b := NewBuilder("halves", mode, NewParamSet(1), Options{})
		x := b.Conv("conv1", b.Input(2, 3, 5, 5), ConvOpts{Filters: 4, Kernel: 3, Stride: 1, Pad: 1, Bias: true})
		x = b.PReLU("act", b.Add(b.ReLU(b.BatchNorm("bn", x)), x))
		b.Auxiliary(b.Linear("aux", b.Flatten(x), 3), 0.5)
		g, err := b.Finish(b.Linear("fc", b.Dropout("drop", b.GlobalAvgPool(b.MaxPool(x, PoolOpts{Kernel: 3, Stride: 2})), 0.5), 3))
		if err != nil {
			t.Fatal(err)
		}
		halves := map[bool]int{}
		for _, n := range g.G.AllNodes() {
			want := !IsOne(n) && (n.Op() == nil || !backward.MatchString(n.Op().String()))
			if got := g.Forward(n); got != want {
				t.Errorf("%v: Forward(%v) is %v", mode, n.Op(), got)
			}
			halves[want]++
		}
		if halves[true] < 15 || (halves[false] > 15) != (mode == Train) {
			t.Errorf("%v: %d nodes forward, %d backward", mode, halves[true], halves[false])
		}
	}
}
