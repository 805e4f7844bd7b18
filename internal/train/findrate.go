package train

import (
	"context"
	"errors"
	"fmt"
	"math"

	"resnet/internal/fielderr"
)

// RateSearch is a learning-rate range test (Smith 2017, arXiv:1506.01186): Steps updates at rates
// that grow evenly in their logarithm from From to To. It ends early when the loss has become Limit
// times the best.
type RateSearch struct {
	From, To float64
	Steps    int
}

// DefaultRateSearch covers what SGD and Adam are used with, as fastai's finder does.
func DefaultRateSearch() RateSearch { return RateSearch{From: 1e-7, To: 10, Steps: 100} }

// The finder's constants, fastai's: how much of the smoothed loss is kept, how far above the best a
// loss ends the search, and the updates at the beginning that are too noisy to count.
const (
	rateSmoothing = 0.98
	rateLimit     = 4
	rateWarmup    = 10
)

// RatePoint is an update of a search.
type RatePoint struct {
	Rate     float64 `json:"rate"`
	Loss     float64 `json:"loss"`     // of this update's batches, before it
	Smoothed float64 `json:"smoothed"` // mean of the losses so far, the last ones weighing most
}

// RateCurve is what a search found.
type RateCurve struct {
	Points []RatePoint `json:"points"`
	// Lowest is the rate at which the smoothed loss is least, and Suggestion lies in the middle of
	// its fall. 0 where it did not fall.
	Lowest     float64 `json:"lowest"`
	Suggestion float64 `json:"suggestion"`
	Diverged   bool    `json:"diverged"` // the search ended before its last rate
}

// FindRate trains at growing rates, on the batches with which a training begins, and saves nothing:
// the parameters are not worth keeping afterwards. The plan's schedule is not used; optimizer,
// accumulation and clipping are. It fails with a context that ends, and with fielderr.Error when
// the search makes no sense.
func FindRate(ctx context.Context, o Options, s RateSearch) (RateCurve, error) {
	if !(s.From > 0 && s.To > s.From && s.To <= math.MaxFloat32) || s.Steps < 2*rateWarmup {
		return RateCurve{}, fielderr.Error{Section: "train", Path: "schedule.rate", Msg: fmt.Sprintf("a search from %v to %v in %d updates", s.From, s.To, s.Steps)}
	}
	l, err := newProbe(ctx, o)
	if err != nil {
		return RateCurve{}, err
	}
	defer l.closeLoaders()
	var c RateCurve
	mean, best := 0., math.Inf(1)
	for i := range s.Steps {
		l.rate = s.From * math.Pow(s.To/s.From, float64(i)/float64(s.Steps-1))
		loss, err := l.searched()
		var nf *NonFiniteError
		if errors.As(err, &nf) {
			c.Diverged = true
			break
		}
		if err != nil {
			return c, err
		}
		mean = rateSmoothing*mean + (1-rateSmoothing)*loss
		smoothed := mean / (1 - math.Pow(rateSmoothing, float64(i+1)))
		c.Points = append(c.Points, RatePoint{l.rate, loss, smoothed})
		best = min(best, smoothed)
		if i >= rateWarmup && smoothed > rateLimit*best {
			c.Diverged = true
			break
		}
	}
	c.suggest()
	return c, nil
}

// searched makes one update at the rate in hand and returns the mean loss of its batches.
func (l *loop) searched() (float64, error) {
	sums, err := l.gradients()
	if err != nil {
		return 0, err
	}
	if e := l.checkUpdate(); e != nil {
		return 0, e
	}
	l.step(l.o.Plan.Config.Accumulate)
	l.moved()
	return sums.metrics().Loss, nil
}

// suggest finds the rates of interest, the noisy beginning left out. The suggestion is fastai's
// "valley": a half of the way into the longest decreasing series of losses, whatever lies between
// them. A series of less than a tenth of the updates is noise.
func (c *RateCurve) suggest() {
	if len(c.Points) < rateWarmup+3 {
		return
	}
	points := c.Points[rateWarmup:]
	low, end := 0, 0
	longest := make([]int, len(points)) // series that ends here
	for i, p := range points {
		longest[i] = 1
		for j := range i {
			if p.Smoothed < points[j].Smoothed {
				longest[i] = max(longest[i], longest[j]+1)
			}
		}
		if longest[i] > longest[end] {
			end = i
		}
		if p.Smoothed < points[low].Smoothed {
			low = i
		}
	}
	if longest[end] <= len(points)/10 {
		return
	}
	begin := end + 1 - longest[end]
	c.Lowest, c.Suggestion = points[low].Rate, points[(begin+end)/2].Rate
}
