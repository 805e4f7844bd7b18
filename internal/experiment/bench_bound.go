package experiment

import (
	"strings"
	"time"

	"resnet/internal/graph/kernel"
	"resnet/internal/graph/kernel/conv"
	"resnet/internal/graph/schedule"
)

// limits are rates of this machine with so many threads: operations and bytes a second.
type limits struct {
	threads      float64
	peak, stream float64
	speeds       map[convolved]conv.Speeds
	best         map[pass]float64 // of one thread, among all shapes
}

// convolved is a shape whose passes were measured with an algorithm.
type convolved struct {
	conv.Shape
	conv.Algorithm
}

// pass is one of the passes of an algorithm.
type pass struct {
	conv.Algorithm
	conv.PassName
}

// measureLimits measures the convolutions of the steps, each shape and algorithm once, on one core.
func measureLimits(steps []schedule.StepTime, threads int) limits {
	l := limits{
		threads: float64(threads), peak: kernel.Peak(threads), stream: kernel.Stream(threads),
		speeds: map[convolved]conv.Speeds{}, best: map[pass]float64{},
	}
	for _, s := range steps {
		if s.Algorithm == "" { // a fully connected or recurrent layer
			continue
		}
		for _, p := range s.Products {
			key := convolved{p.Shape, p.Algorithm}
			if _, ok := l.speeds[key]; !ok {
				// As many images as fit in a second-level cache together.
				together := max(1, min(p.Images, 48<<10/max(p.InLen(), p.OutLen())))
				l.speeds[key] = conv.Measure(p.Shape, p.Algorithm, together, 3, 10*time.Millisecond)
			}
			of := pass{p.Algorithm, p.Pass}
			l.best[of] = max(l.best[of], l.speeds[key].Of(p.Pass).Median)
		}
	}
	return l
}

// bound is the least time of a step. A convolution that is not divided by images alone has its
// weights in cache for more pixels than one thread's images have, and counts at the best rate of
// its algorithm; what is no convolution at the processor's peak.
func (l limits) bound(s schedule.StepTime) time.Duration {
	arithmetic := 0.
	for _, p := range s.Products {
		rate := l.peak
		if s.Algorithm != "" {
			rate = l.threads * l.speeds[convolved{p.Shape, p.Algorithm}].Of(p.Pass).Median
			if strings.Contains(s.Algorithm, ", ") {
				rate = max(rate, l.threads*l.best[pass{p.Algorithm, p.Pass}])
			}
		}
		arithmetic += float64(p.Operations()) / rate
	}
	return time.Duration(max(arithmetic, float64(s.Bytes)/l.stream) * float64(time.Second))
}
