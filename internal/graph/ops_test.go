package graph_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"testing"

	"resnet/internal/graph"
	"resnet/internal/graph/graphtest"
)

type (
	leaf = graphtest.Leaf
	node = graph.Node
)

// op is a case of one operator whose inputs are the leaves.
func op(name string, op graph.Operator, leaves ...leaf) graphtest.Case {
	return graphtest.Case{Name: name, Leaves: leaves, Build: func(in []*node) (*node, error) { return graph.Apply(op, in...) }}
}

func free(shape ...int) leaf { return leaf{Shape: shape} }

func convCases() []graphtest.Case {
	shapes := []graph.ConvShape{
		{N: 2, C: 3, H: 5, W: 5, K: 4, R: 3, S: 3, Stride: 1, PadH: 1, PadW: 1},
		{N: 2, C: 2, H: 7, W: 6, K: 3, R: 3, S: 3, Stride: 2, PadH: 1, PadW: 1},
		{N: 1, C: 3, H: 5, W: 7, K: 2, R: 1, S: 1, Stride: 2},
		{N: 1, C: 1, H: 9, W: 8, K: 2, R: 7, S: 7, Stride: 2, PadH: 3, PadW: 3},
		// Even kernels, the second with stride 3.
		{N: 2, C: 2, H: 5, W: 6, K: 2, R: 2, S: 2, Stride: 1, PadH: 1, PadW: 1},
		{N: 1, C: 2, H: 8, W: 7, K: 3, R: 4, S: 4, Stride: 3, PadH: 2, PadW: 2},
		// A stride above the kernel: some pixels are not seen.
		{N: 1, C: 2, H: 8, W: 8, K: 1, R: 2, S: 2, Stride: 3},
		// One of everything; a kernel larger than the image; not square.
		{N: 1, C: 1, H: 1, W: 1, K: 1, R: 1, S: 1, Stride: 1},
		{N: 1, C: 1, H: 1, W: 1, K: 2, R: 5, S: 5, Stride: 1, PadH: 2, PadW: 2},
		{N: 1, C: 2, H: 4, W: 9, K: 2, R: 3, S: 5, Stride: 2, PadH: 0, PadW: 2},
		// Rows and columns of padding alone; a single row.
		{N: 3, C: 1, H: 3, W: 3, K: 1, R: 1, S: 1, Stride: 1, PadH: 2, PadW: 2},
		{N: 1, C: 1, H: 2, W: 11, K: 1, R: 2, S: 4, Stride: 3, PadH: 0, PadW: 1},
		// Other strides of rows than of columns.
		{N: 2, C: 2, H: 7, W: 5, K: 2, R: 3, S: 3, Stride: 2, StrideW: 1, PadH: 1, PadW: 1},
		{N: 1, C: 1, H: 5, W: 8, K: 2, R: 3, S: 2, Stride: 1, StrideW: 3, PadH: 1},
		// Zeros at the end alone, and one more there than at the beginning.
		{N: 2, C: 2, H: 6, W: 8, K: 2, R: 3, S: 3, Stride: 2, End: 1},
		{N: 1, C: 2, H: 8, W: 7, K: 2, R: 7, S: 7, Stride: 2, PadH: 2, PadW: 2, End: 1},
		// In groups: as many outputs as inputs, more, fewer; of single channels.
		{N: 2, C: 4, H: 5, W: 4, K: 4, R: 3, S: 3, Stride: 1, PadH: 1, PadW: 1, Groups: 2},
		{N: 1, C: 4, H: 5, W: 5, K: 6, R: 3, S: 3, Stride: 2, PadH: 1, PadW: 1, Groups: 2},
		{N: 1, C: 6, H: 3, W: 4, K: 3, R: 1, S: 1, Stride: 1, Groups: 3},
		{N: 2, C: 3, H: 4, W: 5, K: 3, R: 3, S: 3, Stride: 1, PadH: 1, PadW: 1, Groups: 3},
	}
	var cases []graphtest.Case
	for i, s := range shapes {
		x, w := free(s.N, s.C, s.H, s.W), free(s.K, s.GroupChannels(), s.R, s.S)
		cases = append(cases, op(fmt.Sprintf("Conv/%+v", s), &graph.Conv{ConvShape: s, ID: uint32(i)}, x, w))
		if i%3 == 0 {
			cases = append(cases, op(fmt.Sprintf("ConvBias/%+v", s), &graph.Conv{ConvShape: s, Bias: true, ID: uint32(i)}, x, w, free(s.K)))
		}
	}
	leafy := shapes[0]
	x := free(leafy.N, leafy.C, leafy.H, leafy.W)
	x.Fixed = true
	return append(cases, op("ConvLeaf", &graph.Conv{ConvShape: leafy, Leaf: true, ID: 9}, x, free(leafy.K, leafy.C, leafy.R, leafy.S)))
}

func normCases() []graphtest.Case {
	var cases []graphtest.Case
	for i, s := range []graph.ImageShape{{N: 3, C: 2, H: 3, W: 5}, {N: 2, C: 1, H: 1, W: 1}, {N: 1, C: 3, H: 7, W: 1}, {N: 5, C: 4, H: 2, W: 2}} {
		id := uint32(i)
		train := graphtest.Case{
			Name:   fmt.Sprintf("BatchNorm/train/%+v", s),
			Leaves: []leaf{free(s.N, s.C, s.H, s.W), free(s.C), free(s.C)},
			Build: func(in []*node) (*node, error) {
				stats, err := graph.Apply(&graph.BatchStats{ImageShape: s, ID: id}, in[0])
				if err != nil {
					return nil, err
				}
				bn := &graph.BatchNorm{ImageShape: s, Eps: 0.1, Mode: graph.Train, ID: id}
				return graph.Apply(bn, in[0], in[1], in[2], stats)
			},
		}
		variance := make([]float64, s.C)
		for c := range variance {
			variance[c] = 0.5 + float64(c)
		}
		fixed := func(shape ...int) leaf { return leaf{Shape: shape, Fixed: true} }
		eval := op(fmt.Sprintf("BatchNorm/eval/%+v", s), &graph.BatchNorm{ImageShape: s, Eps: 1e-5, Mode: graph.Eval, ID: id},
			fixed(s.N, s.C, s.H, s.W), fixed(s.C), fixed(s.C), fixed(s.C), leaf{Shape: []int{s.C}, Values: variance, Fixed: true})
		cases = append(cases, train, eval)
	}
	return cases
}

func elementCases() []graphtest.Case {
	state := &graph.DropoutState{Seed: 5, Step: 6}
	var cases []graphtest.Case
	for _, shape := range [][]int{{2, 3, 3, 5}, {3, 7}, {1, 1, 1, 1}, {1}} {
		name := func(op string) string { return fmt.Sprintf("%s/%v", op, shape) }
		cases = append(cases,
			op(name("ReLU"), &graph.ReLU{ID: 1}, free(shape...)),
			op(name("Sigmoid"), &graph.Sigmoid{ID: 1}, free(shape...)),
			op(name("ELU"), &graph.ELU{Alpha: 0.7, ID: 1}, free(shape...)),
			op(name("Dropout"), &graph.Dropout{P: 0.3, Stream: 2, ID: 1, State: state}, free(shape...)),
			op(name("Add"), &graph.Add{ID: 1}, free(shape...), free(shape...)),
			graphtest.Case{Name: name("AddSame"), Leaves: []leaf{free(shape...)}, Build: func(in []*node) (*node, error) {
				return graph.Apply(&graph.Add{ID: 1}, in[0], in[0])
			}},
			graphtest.Case{Name: name("FanOut"), Leaves: []leaf{free(shape...)}, Build: fanOut},
		)
	}
	for _, s := range []graph.ImageShape{{N: 2, C: 3, H: 3, W: 5}, {N: 3, C: 1, H: 1, W: 1}} {
		cases = append(cases, op(fmt.Sprintf("DropPath/%+v", s), &graph.DropPath{ImageShape: s, P: 0.4, Stream: 3, ID: 1, State: state}, free(s.N, s.C, s.H, s.W)))
		cases = append(cases, op(fmt.Sprintf("PReLU/%+v", s), &graph.PReLU{ImageShape: s, ID: 1}, free(s.N, s.C, s.H, s.W), free(s.C)))
	}
	return append(cases, op("PReLU/rows", &graph.PReLU{ImageShape: graph.ImageShape{N: 3, C: 4, H: 1, W: 1}, Rows: true, ID: 1}, free(3, 4), free(4)))
}

// lrnCases have constants so large that the windows matter: at both borders, wider than the
// channels, even, of one channel.
func lrnCases() []graphtest.Case {
	var cases []graphtest.Case
	for _, s := range []graph.LRNShape{
		{ImageShape: graph.ImageShape{N: 2, C: 7, H: 2, W: 3}, Size: 5, Alpha: 0.9, Beta: 0.75, Bias: 1},
		{ImageShape: graph.ImageShape{N: 1, C: 3, H: 1, W: 2}, Size: 9, Alpha: 2, Beta: 0.5, Bias: 2},
		{ImageShape: graph.ImageShape{N: 1, C: 6, H: 2, W: 1}, Size: 4, Alpha: 1.3, Beta: 1.25, Bias: 0.7},
		{ImageShape: graph.ImageShape{N: 1, C: 2, H: 1, W: 1}, Size: 1, Alpha: 0.5, Beta: 2, Bias: 1},
		// GoogLeNet's constants.
		{ImageShape: graph.ImageShape{N: 1, C: 5, H: 1, W: 1}, Size: 5, Alpha: 1e-4, Beta: 0.75, Bias: 1},
	} {
		cases = append(cases, op(fmt.Sprintf("LRN/%+v", s), &graph.LRN{LRNShape: s, ID: 1}, free(s.N, s.C, s.H, s.W)))
	}
	return cases
}

// fanOut uses its input three times, so that Gorgonia sums three gradients, one of which is used
// elsewhere too.
func fanOut(in []*node) (*node, error) {
	a, err := graph.Apply(&graph.Sigmoid{ID: 1}, in[0])
	if err != nil {
		return nil, err
	}
	b, err := graph.Apply(&graph.Sigmoid{ID: 2}, a)
	if err != nil {
		return nil, err
	}
	c, err := graph.Apply(&graph.Add{ID: 3}, a, b)
	if err != nil {
		return nil, err
	}
	return graph.Apply(&graph.Add{ID: 4}, c, a)
}

// targetRows are targets of two images, one of which has a sum other than 1.
var targetRows = leaf{Shape: []int{2, 3}, Values: []float64{0.7, 0.1, 0.2, 1, 0.5, 0}, Fixed: true}

func shapeCases() []graphtest.Case {
	cases := []graphtest.Case{
		op("Concat", &graph.Concat{N: 2, H: 3, W: 2, Channels: []int{1, 3, 2}, ID: 1}, free(2, 1, 3, 2), free(2, 3, 3, 2), free(2, 2, 3, 2)),
		op("Concat/one", &graph.Concat{N: 1, H: 1, W: 1, Channels: []int{1}, ID: 1}, free(1, 1, 1, 1)),
		op("PyramidWindows", &graph.PyramidWindows{PyramidShape: graph.PyramidShape{ImageShape: graph.ImageShape{N: 2, C: 2, H: 6, W: 5}, Window: 4, Levels: []int{4, 2, 1}}, ID: 1},
			leaf{Shape: []int{2, 2, 6, 5}, Fixed: true}),
		op("Flatten", &graph.Flatten{N: 2, Images: [][3]int{{3, 2, 4}}, ID: 1}, free(2, 3, 2, 4)),
		op("Flatten/pyramid", &graph.Flatten{N: 3, Images: [][3]int{{2, 3, 3}, {2, 2, 1}, {1, 1, 1}}, ID: 1}, free(3, 2, 3, 3), free(3, 2, 2, 1), free(3, 1, 1, 1)),
		op("SoftmaxCrossEntropy/weighted", &graph.SoftmaxCrossEntropy{N: 2, K: 3, Weight: 0.3, ID: 1}, free(2, 3), leaf{Shape: []int{2}, Values: []float64{2, 0}, Fixed: true}),
		op("Excite", &graph.Excite{ImageShape: graph.ImageShape{N: 2, C: 3, H: 2, W: 3}, ID: 1}, free(2, 3, 2, 3), free(2, 3)),
		op("Linear", &graph.Linear{N: 3, C: 5, K: 4, Bias: true, ID: 1}, free(3, 5), free(4, 5), free(4)),
		op("Linear/nobias", &graph.Linear{N: 1, C: 7, K: 1, ID: 1}, free(1, 7), free(1, 7)),
		op("Linear/ones", &graph.Linear{N: 1, C: 1, K: 1, Bias: true, ID: 1}, free(1, 1), free(1, 1), free(1)),
		op("Linear/leaf", &graph.Linear{N: 2, C: 3, K: 2, Leaf: true, ID: 1}, leaf{Shape: []int{2, 3}, Fixed: true}, free(2, 3)),
		op("SoftmaxCrossEntropy", &graph.SoftmaxCrossEntropy{N: 3, K: 5, ID: 1}, free(3, 5), leaf{Shape: []int{3}, Values: []float64{4, 0, 2}, Fixed: true}),
		op("TargetCrossEntropy", &graph.TargetCrossEntropy{N: 2, K: 3, ID: 1}, free(2, 3), targetRows),
		op("TargetCrossEntropy/weighted", &graph.TargetCrossEntropy{N: 2, K: 3, Weight: 0.3, ID: 1}, free(2, 3), targetRows),
		op("TargetCrossEntropy/binary", &graph.TargetCrossEntropy{N: 2, K: 3, Binary: true, Weight: 1.7, ID: 1}, free(2, 3), targetRows),
		op("SoftmaxCrossEntropy/one", &graph.SoftmaxCrossEntropy{N: 1, K: 2, ID: 1}, free(1, 2), leaf{Shape: []int{1}, Values: []float64{1}, Fixed: true}),
	}
	for _, sides := range []bool{true, false} {
		for _, s := range []graph.ShortcutShape{
			{N: 2, C: 2, H: 4, W: 4, K: 4, Stride: 2},
			{N: 1, C: 2, H: 5, W: 7, K: 5, Stride: 2}, // an odd number of new channels
			{N: 1, C: 1, H: 4, W: 5, K: 1, Stride: 3},
			{N: 2, C: 3, H: 2, W: 1, K: 4, Stride: 1},
		} {
			s.Sides = sides
			cases = append(cases, op(fmt.Sprintf("ShortcutPad/%+v", s), &graph.ShortcutPad{ShortcutShape: s, ID: 1}, free(s.N, s.C, s.H, s.W)))
		}
	}
	return cases
}

func poolCases() []graphtest.Case {
	var cases []graphtest.Case
	for _, s := range []graph.PoolShape{
		{N: 2, C: 2, H: 6, W: 6, Kernel: 2, Stride: 2},
		{N: 1, C: 2, H: 7, W: 9, Kernel: 3, Stride: 2, Pad: 1},
		{N: 1, C: 1, H: 7, W: 6, Kernel: 3, Stride: 3, Ceil: true},
		{N: 1, C: 2, H: 6, W: 5, Kernel: 3, Stride: 2, Pad: 1, Ceil: true},
		{N: 1, C: 1, H: 5, W: 5, Kernel: 4, Stride: 3, Pad: 2, Ceil: true},
		// The last window would start past the padding, and at its first pixel.
		{N: 1, C: 1, H: 4, W: 4, Kernel: 2, Stride: 3, Pad: 1, Ceil: true},
		{N: 1, C: 1, H: 5, W: 5, Kernel: 2, Stride: 3, Pad: 1, Ceil: true},
		{N: 2, C: 1, H: 1, W: 1, Kernel: 1, Stride: 1},
		{N: 1, C: 1, H: 5, W: 8, Kernel: 3, Stride: 1, Pad: 1}, // overlapping windows
	} {
		x := free(s.N, s.C, s.H, s.W)
		cases = append(cases,
			op(fmt.Sprintf("MaxPool/%+v", s), &graph.MaxPool{PoolShape: s, ID: 1}, x),
			op(fmt.Sprintf("AvgPool/%+v", s), &graph.AvgPool{PoolShape: s, CountIncludePad: true, ID: 1}, x),
			op(fmt.Sprintf("AvgPoolExclude/%+v", s), &graph.AvgPool{PoolShape: s, ID: 1}, x),
		)
	}
	for _, s := range []graph.ImageShape{{N: 2, C: 3, H: 4, W: 5}, {N: 1, C: 1, H: 1, W: 1}} {
		cases = append(cases, op(fmt.Sprintf("GlobalAvgPool/%+v", s), &graph.GlobalAvgPool{ImageShape: s, ID: 1}, free(s.N, s.C, s.H, s.W)))
	}
	return cases
}

// Every operator of the package appears in a case; a new one without a case fails here.
func TestEveryOperatorMatchesCentralDifferences(t *testing.T) {
	seen := map[string]bool{}
	for _, cases := range [][]graphtest.Case{convCases(), normCases(), elementCases(), shapeCases(), poolCases(), lrnCases(), sequenceCases()} {
		for _, c := range cases {
			t.Run(c.Name, func(t *testing.T) {
				for _, name := range graphtest.Check(t, c) {
					seen[name] = true
				}
			})
		}
	}
	for _, name := range operators(t) {
		if !seen[name] {
			t.Errorf("operator %s has no case", name)
		}
	}
}

// operators lists the types of this package that have a method Run32.
func operators(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if m, ok := d.(*ast.FuncDecl); ok && m.Recv != nil && m.Name.Name == "Run32" {
				names = append(names, m.Recv.List[0].Type.(*ast.StarExpr).X.(*ast.Ident).Name)
			}
		}
	}
	if len(names) < 42 {
		t.Fatalf("found %d operators, want at least 42", len(names))
	}
	return names
}
