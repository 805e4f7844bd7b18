package graph

import (
	"errors"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

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
