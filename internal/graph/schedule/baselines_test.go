package schedule_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"resnet/internal/graph"
	"resnet/internal/graph/kernel"
	"resnet/internal/graph/schedule"
)

func conv3(filters int) graph.ConvOpts {
	return graph.ConvOpts{Filters: filters, Kernel: 3, Stride: 1, Pad: 1, Bias: true}
}

func conv1(filters int) graph.ConvOpts {
	return graph.ConvOpts{Filters: filters, Kernel: 1, Stride: 1, Bias: true}
}

// baselines are drawings in the manner of the networks that ResNet was compared with: between
// them they use the steps that these need.
var baselines = map[string]func(b *graph.Builder, x *graph.Node) *graph.Node{
	"biases": func(b *graph.Builder, x *graph.Node) *graph.Node {
		x = b.ReLU(b.Conv("conv1", x, conv3(18)))
		x = b.ReLU(b.Conv("conv2", x, conv3(16)))
		x = b.MaxPool(x, graph.PoolOpts{Kernel: 2, Stride: 2})
		y := b.Conv("conv3", x, conv3(33)) // read as it is, twice
		x = b.ReLU(b.Add(b.Conv("conv4", y, conv3(33)), y))
		return b.Linear("fc", b.GlobalAvgPool(b.Conv("conv5", x, conv1(9))), classes)
	},
	"biases and normalisation": func(b *graph.Builder, x *graph.Node) *graph.Node {
		x = b.ReLU(b.BatchNorm("bn1", b.Conv("conv1", x, conv3(18))))
		z := b.Conv("conv2", x, conv3(20))
		x = b.Add(b.ReLU(b.BatchNorm("bn2", z)), z)
		x = b.ReLU(b.Add(b.BatchNorm("bn3", b.Conv("conv3", x, conv1(20))), x))
		return b.Linear("fc", b.GlobalAvgPool(x), classes)
	},
	"PReLU": func(b *graph.Builder, x *graph.Node) *graph.Node {
		x = b.PReLU("act1", b.Conv("conv1", x, conv3(18)))
		x = b.PReLU("act2", b.Conv("conv2", x, graph.ConvOpts{Filters: 20, Kernel: 3, Stride: 2, Pad: 1}))
		y := b.PReLU("act3", b.BatchNorm("bn3", b.Conv("conv3", x, conv3(20))))
		x = b.PReLU("act4", b.Add(b.Conv("conv4", y, conv1(20)), x))
		y = b.PReLU("act5", b.ReLU(b.MaxPool(x, graph.PoolOpts{Kernel: 3, Stride: 1, Pad: 1})))
		x = b.ReLU(b.PReLU("act6", b.PReLU("act7", b.Conv("conv5", b.Add(x, y), conv3(5)))))
		return b.Linear("fc", b.GlobalAvgPool(x), classes)
	},
	"inception": func(b *graph.Builder, x *graph.Node) *graph.Node {
		x = b.ReLU(b.Conv("conv1", x, conv3(32)))
		for i, last := range []int{16, 7} { // the second does not end with a whole block
			m := b.In(fmt.Sprint(i))
			p := b.ReLU(m.Conv("1", x, conv1(16)))
			q := b.ReLU(m.Conv("3", b.ReLU(m.Conv("3r", x, conv1(5))), conv3(32)))
			r := b.ReLU(m.Conv("5", b.ReLU(m.Conv("5r", x, conv1(6))), graph.ConvOpts{Filters: 16, Kernel: 5, Stride: 1, Pad: 2, Bias: true}))
			s := b.ReLU(m.Conv("p", b.MaxPool(x, graph.PoolOpts{Kernel: 3, Stride: 1, Pad: 1}), conv1(last)))
			x = b.Concat(p, q, r, s)
		}
		x = b.MaxPool(x, graph.PoolOpts{Kernel: 3, Stride: 2, Ceil: true})
		return b.Linear("fc", b.GlobalAvgPool(x), classes)
	},
	"inception with normalisation": func(b *graph.Builder, x *graph.Node) *graph.Node {
		unit := func(b *graph.Builder, name string, x *graph.Node, filters, kernel, stride int) *graph.Node {
			x = b.Conv(name, x, graph.ConvOpts{Filters: filters, Kernel: kernel, Stride: stride, Pad: kernel / 2})
			return b.ReLU(b.BatchNorm(name+"bn", x))
		}
		x = unit(b, "conv1", x, 16, 3, 1)
		// Of the second no part but the first begins with a whole block.
		for i, p := range []int{16, 19} {
			m := b.In(fmt.Sprint(i))
			q := unit(m, "3", unit(m, "3r", x, 5, 1, 1), 32, 3, 1)
			r := unit(m, "d", unit(m, "dr", x, 6, 1, 1), 16, 3, 1)
			s := unit(m, "p", b.AvgPool(x, graph.PoolOpts{Kernel: 3, Stride: 1, Pad: 1}), 11, 1, 1)
			x = b.Concat(unit(m, "1", x, p, 1, 1), q, r, s)
		}
		m := b.In("reduction")
		q := unit(m, "3", unit(m, "3r", x, 5, 1, 1), 16, 3, 2)
		x = b.Concat(q, b.MaxPool(x, graph.PoolOpts{Kernel: 3, Stride: 2, Pad: 1}), q)
		return b.Linear("fc", b.GlobalAvgPool(b.Dropout("drop", x, 0.3)), classes)
	},
	"concatenations of concatenations": func(b *graph.Builder, x *graph.Node) *graph.Node {
		y := b.ReLU(b.Conv("conv1", x, conv3(16)))
		z := b.Concat(y, b.ReLU(b.BatchNorm("bn2", b.Conv("conv2", x, conv3(16)))))
		z = b.Concat(z, b.Conv("conv3", z, conv1(16)), y)
		w := b.Concat(b.ReLU(z), b.AvgPool(z, graph.PoolOpts{Kernel: 3, Stride: 1, Pad: 1, ExcludePad: true}))
		z = b.ReLU(b.Add(b.Conv("conv4", w, conv3(64)), z))
		return b.Linear("fc", b.GlobalAvgPool(z), classes)
	},
	"average pools": func(b *graph.Builder, x *graph.Node) *graph.Node {
		x = b.ReLU(b.Conv("conv1", x, conv3(20)))
		x = b.AvgPool(x, graph.PoolOpts{Kernel: 3, Stride: 1, Pad: 1})
		y := b.AvgPool(x, graph.PoolOpts{Kernel: 5, Stride: 3, Pad: 2, Ceil: true, ExcludePad: true})
		x = b.AvgPool(b.Conv("conv2", x, conv1(20)), graph.PoolOpts{Kernel: 5, Stride: 3, Pad: 2, Ceil: true})
		x = b.MaxPool(b.Add(x, y), graph.PoolOpts{Kernel: 2, Stride: 2, Ceil: true})
		return b.Linear("fc", b.GlobalAvgPool(b.AvgPool(x, graph.PoolOpts{Kernel: 2, Stride: 2, Ceil: true})), classes)
	},
	"local response normalisation": func(b *graph.Builder, x *graph.Node) *graph.Node {
		x = b.ReLU(b.Conv("conv1", x, conv3(53)))
		x = b.LRN("norm1", b.MaxPool(x, graph.PoolOpts{Kernel: 3, Stride: 1, Pad: 1}), graph.LRNOpts{Size: 5, Alpha: 0.8, Beta: 0.75, Bias: 1})
		x = b.LRN("norm2", b.ReLU(b.Conv("conv2", x, conv3(20))), graph.LRNOpts{Size: 4, Alpha: 0.5, Beta: 0.6, Bias: 2})
		// The reference takes the square of the window's size for each value.
		x = b.MaxPool(x, graph.PoolOpts{Kernel: 3, Stride: 3})
		x = b.LRN("norm3", b.Conv("conv3", x, conv1(70)), graph.LRNOpts{Size: 40, Alpha: 3, Beta: 0.75, Bias: 1})
		b.Auxiliary(b.Linear("aux", b.GlobalAvgPool(x), classes), 0.3)
		return b.Linear("fc", b.GlobalAvgPool(b.LRN("norm4", x, graph.LRNOpts{Size: 1, Alpha: 1, Beta: 0.75, Bias: 1})), classes)
	},
	"rows of maps": func(b *graph.Builder, x *graph.Node) *graph.Node {
		x = b.PReLU("act1", b.Conv("conv1", x, conv3(19)))
		y := b.MaxPool(x, graph.PoolOpts{Kernel: 3, Stride: 3, Ceil: true})
		y = b.Flatten(b.MaxPool(x, graph.PoolOpts{Kernel: 5, Stride: 4}), y, b.MaxPool(x, graph.PoolOpts{Kernel: 9, Stride: 9}))
		y = b.Dropout("drop", b.PReLU("act2", b.Linear("fc1", y, 260)), 0.4)
		return b.Add(b.Linear("fc2", y, classes), b.Linear("fc3", b.Flatten(b.ReLU(x)), classes))
	},
	"residual blocks of sigmoids": func(b *graph.Builder, x *graph.Node) *graph.Node {
		o := graph.ConvOpts{Filters: 7, Kernel: 3, Stride: 1, Pad: 1, Bias: true}
		x = b.Sigmoid(b.Conv("conv1", x, o))
		x = b.Sigmoid(b.Add(b.Conv("conv3", b.Sigmoid(b.Conv("conv2", x, o)), o), x))
		x = b.Sigmoid(b.Add(b.BatchNorm("bn4", b.Conv("conv4", x, o)), b.BatchNorm("bn5", b.Conv("conv5", x, o))))
		x = b.Sigmoid(b.Add(b.Conv("conv8", x, graph.ConvOpts{Filters: 11, Kernel: 3, Stride: 1, Pad: 1}), b.ShortcutPad(x, 11, 1, false)))
		wide := graph.ConvOpts{Filters: 19, Kernel: 3, Stride: 2, Pad: 1, Bias: true}
		one := graph.ConvOpts{Filters: 19, Kernel: 1, Stride: 2, Bias: true}
		x = b.Sigmoid(b.Add(b.Conv("conv6", x, wide), b.Conv("conv7", x, one)))
		return b.Linear("fc", b.GlobalAvgPool(x), classes)
	},
	"residual blocks without normalisation": func(b *graph.Builder, x *graph.Node) *graph.Node {
		o := graph.ConvOpts{Filters: 18, Kernel: 3, Stride: 1, Pad: 1, Bias: true}
		x = b.ReLU(b.Conv("conv1", x, o))
		x = b.ReLU(b.Add(b.Conv("conv3", b.ReLU(b.Conv("conv2", x, o)), o), x))
		wide := graph.ConvOpts{Filters: 21, Kernel: 3, Stride: 2, Pad: 1, Bias: true}
		one := graph.ConvOpts{Filters: 21, Kernel: 1, Stride: 2, Bias: true}
		x = b.ReLU(b.Add(b.Conv("conv4", x, wide), b.Conv("conv5", x, one)))
		return b.Linear("fc", b.GlobalAvgPool(x), classes)
	},
	"many weights": func(b *graph.Builder, x *graph.Node) *graph.Node {
		x = b.GlobalAvgPool(b.ReLU(b.Conv("conv1", x, conv3(37))))
		x = b.Dropout("drop1", b.ReLU(b.Linear("fc1", x, 1801)), 0.5)
		x = b.Dropout("drop2", b.ReLU(b.Linear("fc2", x, 38)), 0.5)
		return b.Linear("fc3", x, classes)
	},
	"groups": inGroups, "squeeze and excitation": excited, "pre-activation": preActivated, "ResNet-D": averagedDown,
}

func TestBaselinesOnTheScheduleMatchTheTape(t *testing.T) {
	for name, f := range baselines {
		sizes := []int{5, 37} // units of one image and of several
		if testing.Short() && name != "biases and normalisation" {
			sizes = sizes[:1]
		}
		for _, n := range sizes {
			t.Run(fmt.Sprintf("%s/%d", name, n), func(t *testing.T) {
				compareWithTape(t, f, n, schedule.Options{Threads: 2}, 2e-5)
			})
		}
	}
}

// TestNothingOfBaselinesRunsAsItsReference: an operator that has lost its step would still give
// the right numbers, some hundred times slower.
func TestNothingOfBaselinesRunsAsItsReference(t *testing.T) {
	for name, f := range baselines {
		n := draw(t, f, 3, 1)
		for _, g := range []*graph.Graph{n.train, n.eval} {
			for _, step := range schedule.StepNames(compile(t, g, schedule.Options{})) {
				if strings.HasPrefix(step, "reference") || strings.HasPrefix(step, "Sigmoid") {
					t.Errorf("%s, %v: %s", name, g.Mode, step)
				}
			}
		}
	}
}

// TestThreadsDoNotChangeABitOfBaselines trains and evaluates each with several numbers of
// threads, for every instruction set; and an image alone, which goes through as a unit and not as
// one of a unit's, has the logits that it has among others, but for the rounding of other strips.
func TestThreadsDoNotChangeABitOfBaselines(t *testing.T) {
	best := kernel.Active()
	defer func() { _ = kernel.Use(best) }()
	for _, isa := range kernel.Available() {
		if err := kernel.Use(isa); err != nil {
			t.Fatal(err)
		}
		for name, f := range baselines {
			var want map[string][]float32
			for _, threads := range []int{1, 3} {
				n := draw(t, f, 33, 1)
				got := train(t, compile(t, n.train, schedule.Options{Threads: threads}), n, graph.StepOptions{})
				e := compile(t, n.eval, schedule.Options{Threads: threads})
				got["logits in evaluation"] = infer(t, e, n.x, 33)
				first := map[string][]float32{"logits": got["logits in evaluation"][:classes]}
				for _, d := range differences(isa+", "+name+", one image", map[string][]float32{"logits": infer(t, e, n.x[:n.eval.ImageLen()], 1)}, first, 1e-5) {
					t.Error(d)
				}
				if want == nil {
					want = got
				}
				for what := range want {
					if !slices.Equal(got[what], want[what]) {
						t.Errorf("%s, %s: %s is not the same bits with %d threads as with 1", isa, name, what, threads)
					}
				}
			}
		}
	}
}

func infer(t *testing.T, m graph.Machine, x []float32, n int) []float32 {
	t.Helper()
	logits, err := m.Infer(x, n)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Clone(logits)
}
