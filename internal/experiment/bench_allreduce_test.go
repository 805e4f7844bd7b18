package experiment

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"resnet/internal/train"
	"resnet/internal/train/collective"
)

// allreduce runs BenchAllreduce on ranks that are goroutines; change may alter a rank's options or
// its group.
func allreduce(n int, change func(rank int, r *train.Ranks, o *AllreduceOptions)) ([]AllreduceReport, []error) {
	reports, errs := make([]AllreduceReport, n), make([]error, n)
	var group sync.WaitGroup
	for rank, g := range collective.NewLocal(n) {
		r := train.Ranks{Group: g, Host: fmt.Sprint("node", rank)}
		o := AllreduceOptions{Values: 5000, Rounds: 3, Update: 50 * time.Millisecond}
		if change != nil {
			change(rank, &r, &o)
		}
		group.Go(func() {
			reports[rank], errs[rank] = BenchAllreduce(&Environment{}, r, []string{"a", "b", "a", "b"}[:n], o)
		})
	}
	group.Wait()
	return reports, errs
}

func TestSumsAreTimedAndChecked(t *testing.T) {
	reports, errs := allreduce(4, nil)
	for rank, err := range errs {
		if err != nil {
			t.Fatalf("rank %d: %v", rank, err)
		}
	}
	r := reports[0]
	if r.Ranks != 4 || r.Hosts != 2 || r.Bytes != 20_000 || len(r.Bounds) != 3 || len(r.Clusters) != 18 {
		t.Errorf("%+v", r)
	}
	for _, m := range []AllreduceTime{r.Whole, r.Buckets} {
		// Each rank sends half of the vector and half of its sum thrice: 1.5 times its bytes.
		if want := 1.5 * 20_000 * 8 / (m.Ms / 1000) / 1e9; !(m.MsMin > 0 && m.MsMin <= m.Ms && m.Ms <= m.MsMax) || math.Abs(m.Gigabits/want-1) > 1e-9 {
			t.Errorf("%+v, want %v Gb/s", m, want)
		}
	}
	_, errs = allreduce(3, nil)
	if !isUsage(errs[0]) || !strings.Contains(errs[0].Error(), "3 ranks") {
		t.Error(errs[0])
	}
	_, errs = allreduce(2, func(rank int, _ *train.Ranks, o *AllreduceOptions) { o.Values += rank })
	for _, err := range errs {
		if !isUsage(err) || !strings.Contains(err.Error(), "rank 1 was started with") {
			t.Error(err)
		}
	}
	_, errs = allreduce(2, func(rank int, r *train.Ranks, _ *AllreduceOptions) {
		if rank == 1 {
			r.Group = bentGroup{r.Group}
		}
	})
	for _, err := range errs {
		if err == nil || !strings.Contains(err.Error(), "rank 1 of 2 on node1: bench allreduce: value 0 of the sum is 2 and not 1") {
			t.Error(err)
		}
	}
}

// bentGroup damages what it gathers.
type bentGroup struct{ collective.Group }

func (b bentGroup) AllGather(send, recv []byte) error {
	err := b.Group.AllGather(send, recv)
	if len(recv) > 10_000 {
		recv[2], recv[3] = 0, 0x40 // 1 becomes 2
	}
	return err
}

// TestClustersFollowFromASum is worked out on paper: two ranks on one host take 8 ms for what both
// send, a megabyte each, so four machines, which send 1.5 MB each, have 12 ms of work.
func TestClustersFollowFromASum(t *testing.T) {
	r := AllreduceReport{Ranks: 2, Bytes: 1e6, ProcessorMs: 8}
	r.calculate(100 * time.Millisecond)
	line := 1460. / 1538 * 10e9 / 8 // bytes a second
	for _, c := range r.Clusters {
		if c.Machines != 4 || c.Gigabits != 10 {
			continue
		}
		sum := 1.5e6/line + 0.012 + 6*30e-6
		last := 1.5e6/4/line + 0.003 + 6*30e-6 // a million bytes are four buckets
		for what, d := range map[string]float64{
			"sum": c.SumMs - 1000*sum, "after": c.EfficiencyPercent - 100*0.1/(0.1+sum), "beside": c.OverlappedPercent - 100*0.1/(0.1+last),
		} {
			if math.Abs(d) > 1e-9 {
				t.Errorf("%s: %+v is off by %v", what, c, d)
			}
		}
	}
	if want := 1000 * (1e6/line + 2*30e-6); len(r.Clusters) != 18 || math.Abs(r.Bounds[0].Ms-want) > 1e-9 {
		t.Errorf("%+v, want a bound of %v ms", r, want)
	}
}
