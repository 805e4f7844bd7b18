package experiment

import (
	"encoding/json"
	"fmt"
	"math/bits"
	"slices"
	"time"

	"resnet/internal/config"
	"resnet/internal/train"
	"resnet/internal/train/collective"
)

// AllreduceOptions say what `bench allreduce` measures.
type AllreduceOptions struct {
	Values int // float32 that are summed, the gradients of a network
	Rounds int // that are measured, after one that is not
	// Update is how long a machine takes for its share of an update, without sums; 0 leaves out the
	// efficiency of clusters.
	Update time.Duration
}

// AllreduceReport is `bench allreduce --json`.
type AllreduceReport struct {
	Mode    string `json:"mode"` // allreduce
	Values  int    `json:"values"`
	Bytes   int64  `json:"bytes"`
	Ranks   int    `json:"ranks"`
	Hosts   int    `json:"hosts"`
	Rounds  int    `json:"rounds"`
	Version string `json:"version"`
	// Whole is the sum of the vector in one piece, Buckets in those of a training with the usual
	// distributed.bucket, 8 MiB.
	Whole   AllreduceTime `json:"whole"`
	Buckets AllreduceTime `json:"buckets"`
	// ProcessorMs of Buckets is the processors' work, copying and adding: what is measured where
	// all ranks are on one host and no network is in between; 0 where there are several.
	ProcessorMs float64 `json:"processor_ms"`
	// Calculated.
	Bounds   []AllreduceBound   `json:"bounds"`
	Clusters []AllreduceCluster `json:"clusters,omitempty"`
}

// AllreduceTime is measured on rank 0.
type AllreduceTime struct {
	Ms    float64 `json:"ms"` // the median
	MsMin float64 `json:"ms_min"`
	MsMax float64 `json:"ms_max"`
	// Gigabits a second that each rank sends: 2·(n-1)/n of the vector.
	Gigabits float64 `json:"gigabits_per_second"`
}

// AllreduceBound is the least time that the bytes of this sum take on a network.
type AllreduceBound struct {
	Gigabits float64 `json:"gigabits_per_second"`
	Ms       float64 `json:"ms"`
}

// AllreduceCluster is what so many machines lose to their sums.
type AllreduceCluster struct {
	Machines          int     `json:"machines"`
	Gigabits          float64 `json:"gigabits_per_second"`
	SumMs             float64 `json:"sum_ms"`
	EfficiencyPercent float64 `json:"efficiency_percent"` // summed after the step
	OverlappedPercent float64 `json:"efficiency_overlapped_percent"`
}

// backwardShare of an update is the backward pass, beside which buckets are summed: of three passes
// of the same work, forward and the gradients of activations and of weights, two.
const backwardShare = 2. / 3

// BenchAllreduce times the sum of a vector among ranks as a training sums its gradients, and checks
// it. All ranks call it, with the same options; the report is that of rank 0.
func BenchAllreduce(env *Environment, r train.Ranks, hosts []string, o AllreduceOptions) (AllreduceReport, error) {
	n := r.Size()
	if bits.OnesCount(uint(n)) != 1 {
		return AllreduceReport{}, config.Usagef("bench allreduce: %d ranks: a training has 1, 2, 4, 8 ... of them", n)
	}
	if err := sameOptions(r.Group, o); err != nil {
		return AllreduceReport{}, err
	}
	s := collective.NewSummer(r.Group, collective.Float32)
	v := make([]float32, s.Padded(o.Values))
	var whole, buckets []time.Duration
	for round := range o.Rounds + 1 {
		for _, c := range []struct {
			size  int
			times *[]time.Duration
		}{{len(v), &whole}, {s.Padded(collective.Bucket(o.Values, n, sumBucket/4)), &buckets}} {
			fillOwn(v, r.Rank())
			if err := r.Group.Barrier(); err != nil {
				return AllreduceReport{}, err
			}
			start := time.Now()
			for from := 0; from < len(v); from += c.size {
				if err := s.Sum(v[from:min(from+c.size, len(v))]); err != nil {
					return AllreduceReport{}, err
				}
			}
			if round > 0 {
				*c.times = append(*c.times, time.Since(start))
			}
			if err := r.Agree(checkSum(v, n)); err != nil {
				return AllreduceReport{}, err
			}
		}
	}
	rep := AllreduceReport{
		Mode: "allreduce", Values: o.Values, Bytes: 4 * int64(o.Values), Ranks: n, Rounds: o.Rounds, Version: env.Version,
		Hosts: len(slices.Compact(slices.Sorted(slices.Values(hosts)))),
	}
	rep.Whole, rep.Buckets = allreduceTime(whole, n, rep.Bytes), allreduceTime(buckets, n, rep.Bytes)
	if rep.Hosts == 1 {
		rep.ProcessorMs = rep.Buckets.Ms
	}
	rep.calculate(o.Update)
	return rep, nil
}

// sameOptions fails unless all ranks were started with the same options.
func sameOptions(g collective.Group, o AllreduceOptions) error {
	own, err := json.Marshal(o)
	if err != nil {
		return err
	}
	all, err := collective.Gather(g, own)
	if err != nil {
		return err
	}
	for rank, b := range all {
		if string(b) != string(all[0]) {
			return config.Usagef("bench allreduce: rank %d was started with %s, and rank 0 with %s", rank, b, all[0])
		}
	}
	return nil
}

// fillOwn sets what a rank adds: small whole numbers, whose sum is exact in any order.
func fillOwn(v []float32, rank int) {
	for i := range v {
		v[i] = float32(i%64 + rank)
	}
}

// checkSum fails unless v is the sum of what n ranks have filled in.
func checkSum(v []float32, n int) error {
	for i, x := range v {
		if want := float32(n*(i%64) + n*(n-1)/2); x != want {
			return fmt.Errorf("bench allreduce: value %d of the sum is %v and not %v: the MPI library or the network changes data", i, x, want)
		}
	}
	return nil
}

func allreduceTime(times []time.Duration, n int, bytes int64) AllreduceTime {
	slices.Sort(times)
	median := times[len(times)/2]
	t := AllreduceTime{Ms: milliseconds(median), MsMin: milliseconds(times[0]), MsMax: milliseconds(times[len(times)-1])}
	t.Gigabits = ringBytes(n, float64(bytes)) * 8 / median.Seconds() / 1e9
	return t
}

// calculate adds what follows for networks. The processors' work is in proportion to what a rank
// sends, and comes on top of the time of the bytes.
func (r *AllreduceReport) calculate(update time.Duration) {
	perByte := 0.
	if r.Ranks > 1 {
		perByte = r.ProcessorMs / 1000 / ringBytes(r.Ranks, float64(r.Bytes))
	}
	for _, w := range scaleNetworks {
		r.Bounds = append(r.Bounds, AllreduceBound{w.Gigabits, 1000 * w.ringSeconds(r.Ranks, float64(r.Bytes))})
		if update == 0 {
			continue
		}
		w.Processor = perByte
		for n := 2; n <= maxScaleMachines; n *= 2 {
			after, beside := w.Efficiency(n, update.Seconds(), backwardShare*update.Seconds(), float64(r.Bytes))
			r.Clusters = append(r.Clusters, AllreduceCluster{
				Machines: n, Gigabits: w.Gigabits, SumMs: 1000 * w.ringSeconds(n, float64(r.Bytes)),
				EfficiencyPercent: 100 * after, OverlappedPercent: 100 * beside,
			})
		}
	}
}
