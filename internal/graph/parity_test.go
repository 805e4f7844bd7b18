package graph_test

import (
	"fmt"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"resnet/internal/graph"
	"resnet/internal/graph/parity"
)

// fixtures are those of generate.py, and of variants.py beside it.
var fixtures = []string{"../../testdata/parity", "../../testdata/parity/variants"}

// operatorTolerance is relative to the norm of a tensor. The fixtures are float64 results, so the
// room is for float32 sums of a few hundred terms.
const operatorTolerance = 1e-4

// TestOperatorsArePyTorchs runs every operator of the fixtures and its symbolic derivative on
// Gorgonia's tape machine, in float32.
func TestOperatorsArePyTorchs(t *testing.T) {
	for _, dir := range fixtures {
		operatorsArePyTorchs(t, dir)
	}
}

func operatorsArePyTorchs(t *testing.T, dir string) {
	manifest, err := parity.ReadManifest(dir)
	if err != nil {
		t.Fatal(err)
	}
	all, err := parity.Read(dir, manifest.Ops.File, manifest.Ops.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range manifest.Ops.Cases {
		t.Run(c.Name, func(t *testing.T) {
			r := &opRun{t: t, g: gorgonia.NewGraph(), tensors: all.Under(c.Name + "/"), read: map[string]*gorgonia.Value{}}
			r.build(c)
			r.execute()
			for name, v := range r.read {
				r.compare(name, *v)
			}
			for name := range r.tensors {
				_, differentiated := r.read[name]
				if name != "dy" && len(name) > 1 && name[0] == 'd' && !differentiated {
					t.Errorf("PyTorch has %s, we do not", name)
				}
			}
		})
	}
}

// opRun is one operator in a graph of its own. read holds the values to compare, by their names in
// the fixture.
type opRun struct {
	t       *testing.T
	g       *gorgonia.ExprGraph
	tensors parity.Tensors
	read    map[string]*gorgonia.Value
}

// build applies the operator of c to its inputs, and its derivative to the fixture's dy.
func (r *opRun) build(c parity.Op) {
	r.t.Helper()
	op, names := operatorOf(c, r.tensors)
	inputs := make(gorgonia.Nodes, len(names))
	for i, name := range names {
		inputs[i] = r.input(name)
	}
	if bn, ok := op.(*graph.BatchNorm); ok && bn.Mode == graph.Train {
		inputs = append(inputs, r.must(graph.Apply(&graph.BatchStats{ImageShape: bn.ImageShape}, inputs[0])))
	}
	y := r.must(graph.Apply(op, inputs...))
	r.want("y", y)
	var dy *graph.Node
	switch _, recorded := r.tensors["dy"]; {
	case recorded:
		dy = r.input("dy")
	case c.Op == "crossentropy":
		dy = gorgonia.NewScalar(r.g, tensor.Float32, gorgonia.WithName("dy"), gorgonia.WithValue(float32(1)))
	default:
		return
	}
	gradients, err := op.SymDiff(inputs, y, dy)
	if err != nil {
		r.t.Fatal(err)
	}
	for i, d := range gradients {
		if d != nil && i < len(names) {
			r.want("d"+names[i], d)
		}
	}
}

// operatorOf makes the operator of a case, and names its inputs in order.
func operatorOf(c parity.Op, tensors parity.Tensors) (graph.Operator, []string) {
	p := c.Params
	shape := func(name string) []int { return tensors.Get(name).Shape }
	image := func() graph.ImageShape {
		s := shape("x")
		return graph.ImageShape{N: s[0], C: s[1], H: s[2], W: s[3]}
	}
	withBias := func(names ...string) []string {
		if p.Bias {
			names = append(names, "b")
		}
		return names
	}
	switch c.Op {
	case "conv":
		x, w := shape("x"), shape("w")
		s := graph.ConvShape{N: x[0], C: x[1], H: x[2], W: x[3], K: w[0], R: w[2], S: w[3], Stride: p.Stride, PadH: p.PadH, PadW: p.PadW, Groups: p.Groups}
		return &graph.Conv{ConvShape: s, Bias: p.Bias}, withBias("x", "w")
	case "batchnorm":
		if p.Mode == "eval" {
			return &graph.BatchNorm{ImageShape: image(), Eps: p.Eps, Mode: graph.Eval}, []string{"x", "gamma", "beta", "mean", "var"}
		}
		return &graph.BatchNorm{ImageShape: image(), Eps: p.Eps, Mode: graph.Train}, []string{"x", "gamma", "beta"}
	case "relu":
		return &graph.ReLU{}, []string{"x"}
	case "sigmoid":
		return &graph.Sigmoid{}, []string{"x"}
	case "elu":
		return &graph.ELU{Alpha: p.Alpha}, []string{"x"}
	case "prelu":
		if s := shape("x"); len(s) == 2 {
			return &graph.PReLU{ImageShape: graph.ImageShape{N: s[0], C: s[1], H: 1, W: 1}, Rows: true}, []string{"x", "slope"}
		}
		return &graph.PReLU{ImageShape: image()}, []string{"x", "slope"}
	case "lrn":
		return &graph.LRN{LRNShape: graph.LRNShape{ImageShape: image(), Size: p.Size, Alpha: p.Alpha, Beta: p.Beta, Bias: p.K}}, []string{"x"}
	case "maxpool", "avgpool":
		x := image()
		s := graph.PoolShape{N: x.N, C: x.C, H: x.H, W: x.W, Kernel: p.Kernel, Stride: p.Stride, Pad: p.Pad, Ceil: p.Ceil}
		if c.Op == "maxpool" {
			return &graph.MaxPool{PoolShape: s}, []string{"x"}
		}
		return &graph.AvgPool{PoolShape: s, CountIncludePad: p.CountIncludePad}, []string{"x"}
	case "excite":
		return &graph.Excite{ImageShape: image()}, []string{"x", "s"}
	case "gap":
		return &graph.GlobalAvgPool{ImageShape: image()}, []string{"x"}
	case "linear":
		x, w := shape("x"), shape("w")
		return &graph.Linear{N: x[0], C: x[1], K: w[0], Bias: p.Bias}, withBias("x", "w")
	case "concat":
		names, shapes := severalInputs(tensors)
		op := &graph.Concat{N: shapes[0][0], H: shapes[0][2], W: shapes[0][3]}
		for _, s := range shapes {
			op.Channels = append(op.Channels, s[1])
		}
		return op, names
	case "flatten":
		names, shapes := severalInputs(tensors)
		op := &graph.Flatten{N: shapes[0][0]}
		for _, s := range shapes {
			op.Images = append(op.Images, [3]int{s[1], s[2], s[3]})
		}
		return op, names
	case "crossentropy":
		s := shape("logits")
		return &graph.SoftmaxCrossEntropy{N: s[0], K: s[1]}, []string{"logits", "labels"}
	}
	panic(fmt.Sprintf("the fixture has an operator %q", c.Op))
}

// severalInputs are those of an operator that takes any number: a, b, and so on.
func severalInputs(tensors parity.Tensors) (names []string, shapes [][]int) {
	for _, name := range []string{"a", "b", "c", "d"} {
		if t, ok := tensors[name]; ok {
			names, shapes = append(names, name), append(shapes, t.Shape)
		}
	}
	return names, shapes
}

// input is a node with the fixture's value; labels become numbers.
func (r *opRun) input(name string) *graph.Node {
	v := r.tensors.Get(name)
	data := append([]float32(nil), v.Data...)
	for _, l := range v.Labels {
		data = append(data, float32(l))
	}
	value := tensor.New(tensor.WithShape(v.Shape...), tensor.WithBacking(data))
	return gorgonia.NewTensor(r.g, tensor.Float32, len(v.Shape), gorgonia.WithShape(v.Shape...), gorgonia.WithName(name), gorgonia.WithValue(value))
}

// want marks a node to be compared with the tensor of that name.
func (r *opRun) want(name string, n *graph.Node) {
	v := new(gorgonia.Value)
	gorgonia.Read(n, v)
	r.read[name] = v
}

func (r *opRun) must(n *graph.Node, err error) *graph.Node {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
	return n
}

func (r *opRun) execute() {
	r.t.Helper()
	m := gorgonia.NewTapeMachine(r.g)
	defer m.Close()
	if err := m.RunAll(); err != nil {
		r.t.Fatal(err)
	}
}

func (r *opRun) compare(name string, v gorgonia.Value) {
	r.t.Helper()
	var got []float32
	switch data := v.Data().(type) {
	case []float32:
		got = data
	case float32:
		got = []float32{data}
	}
	if d := parity.Difference(got, r.tensors.Get(name).Data); d > operatorTolerance {
		r.t.Errorf("%s differs from PyTorch's by %.2g of its norm; at most %g", name, d, operatorTolerance)
	}
}
