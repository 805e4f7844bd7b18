package schedule_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"resnet/internal/graph"
	"resnet/internal/graph/schedule"
)

// vgg16 is configuration D of Simonyan and Zisserman (2015).
func vgg16(b *graph.Builder, x *graph.Node, norm bool) *graph.Node {
	i := 0
	for stage, n := range []int{2, 2, 3, 3, 3} {
		for range n {
			name := fmt.Sprintf("conv%d", i)
			x = b.Conv(name, x, conv3(min(64<<stage, 512)))
			if norm {
				x = b.BatchNorm(name+"bn", x)
			}
			x = b.ReLU(x)
			i++
		}
		x = b.MaxPool(x, graph.PoolOpts{Kernel: 2, Stride: 2})
	}
	x = b.Dropout("drop1", b.ReLU(b.Linear("fc1", b.Flatten(x), 4096)), 0.5)
	x = b.Dropout("drop2", b.ReLU(b.Linear("fc2", x, 4096)), 0.5)
	return b.Linear("fc3", x, 1000)
}

// googlenet is that of Szegedy et al. (2015) without auxiliary classifiers; with norm,
// torchvision's, which normalises batches and not responses.
func googlenet(b *graph.Builder, x *graph.Node, norm bool) *graph.Node {
	unit := func(b *graph.Builder, name string, x *graph.Node, filters, kernel, stride int) *graph.Node {
		x = b.Conv(name, x, graph.ConvOpts{Filters: filters, Kernel: kernel, Stride: stride, Pad: kernel / 2, Bias: !norm})
		if norm {
			x = b.BatchNorm(name+"bn", x)
		}
		return b.ReLU(x)
	}
	lrn := func(name string, x *graph.Node) *graph.Node {
		if norm {
			return x
		}
		return b.LRN(name, x, graph.LRNOpts{Size: 5, Alpha: 1e-4, Beta: 0.75, Bias: 1})
	}
	pool := graph.PoolOpts{Kernel: 3, Stride: 2, Ceil: true}
	x = lrn("norm1", b.MaxPool(unit(b, "conv1", x, 64, 7, 2), pool))
	x = b.MaxPool(lrn("norm2", unit(b, "conv3", unit(b, "conv2", x, 64, 1, 1), 192, 3, 1)), pool)
	fifth := 5
	if norm {
		fifth = 3 // torchvision has 3x3 there
	}
	for i, m := range [][6]int{
		{64, 96, 128, 16, 32, 32},
		{128, 128, 192, 32, 96, 64},
		{192, 96, 208, 16, 48, 64},
		{160, 112, 224, 24, 64, 64},
		{128, 128, 256, 24, 64, 64},
		{112, 144, 288, 32, 64, 64},
		{256, 160, 320, 32, 128, 128},
		{256, 160, 320, 32, 128, 128},
		{384, 192, 384, 48, 128, 128},
	} {
		if i == 2 || i == 7 {
			x = b.MaxPool(x, pool)
		}
		s := b.In(fmt.Sprint("inception", i))
		x = b.Concat(unit(s, "1", x, m[0], 1, 1), unit(s, "3", unit(s, "3r", x, m[1], 1, 1), m[2], 3, 1),
			unit(s, "5", unit(s, "5r", x, m[3], 1, 1), m[4], fifth, 1),
			unit(s, "p", b.MaxPool(x, graph.PoolOpts{Kernel: 3, Stride: 1, Pad: 1}), m[5], 1, 1))
	}
	return b.Linear("fc", b.Dropout("drop", b.GlobalAvgPool(x), 0.2), 1000)
}

// BenchmarkBaselines reports images/s of steps on random images, all cores; STEPS_BATCH images
// each, 16 if it is not set. With STEPS it says what each step took.
func BenchmarkBaselines(b *testing.B) {
	n := 16
	if v, err := strconv.Atoi(os.Getenv("STEPS_BATCH")); err == nil {
		n = v
	}
	for _, net := range []struct {
		name string
		draw func(*graph.Builder, *graph.Node) *graph.Node
	}{
		{"vgg16", func(b *graph.Builder, x *graph.Node) *graph.Node { return vgg16(b, x, false) }},
		{"vgg16bn", func(b *graph.Builder, x *graph.Node) *graph.Node { return vgg16(b, x, true) }},
		{"googlenet", func(b *graph.Builder, x *graph.Node) *graph.Node { return googlenet(b, x, false) }},
		{"googlenetbn", func(b *graph.Builder, x *graph.Node) *graph.Node { return googlenet(b, x, true) }},
	} {
		for _, mode := range []graph.Mode{graph.Eval, graph.Train} {
			b.Run(fmt.Sprintf("%s/%v", net.name, mode), func(b *testing.B) {
				d := graph.NewBuilder(net.name, mode, graph.NewParamSet(1), graph.Options{})
				g, err := d.Finish(net.draw(d, d.Input(n, 3, 224, 224)))
				if err != nil {
					b.Fatal(err)
				}
				m := compile(b, g, schedule.Options{})
				x, labels := batch(n, g.ImageLen(), 1)
				for i := range labels {
					labels[i] = int32(rand.IntN(1000))
				}
				run := func() error {
					if mode == graph.Eval {
						_, err := m.Infer(x, n)
						return err
					}
					_, err := m.Train(x, labels, graph.StepOptions{})
					return err
				}
				if os.Getenv("STEPS") != "" {
					schedule.Report(b, m, run)
					return
				}
				if err := run(); err != nil {
					b.Fatal(err)
				}
				for b.Loop() {
					if err := run(); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.N)*float64(n)/b.Elapsed().Seconds(), "images/s")
				b.ReportMetric(float64(m.Bytes())/1e6, "MB")
			})
		}
	}
}
