package schedule

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"text/tabwriter"
	"time"

	networks "resnet/internal/blocks"
	"resnet/internal/graph"
)

// BenchmarkSteps says where the time of a network goes: each step's share of what all workers do in
// its units, in its inner units, and of what one goroutine does after it. STEPS chooses: "resnet18
// train 16", for example.
func BenchmarkSteps(b *testing.B) {
	arch, mode, n := "resnet18", "train", 16
	if s := os.Getenv("STEPS"); s != "" {
		if _, err := fmt.Sscan(s, &arch, &mode, &n); err != nil {
			b.Fatalf("STEPS=%s: want architecture, train or infer, and a batch: %v", s, err)
		}
	}
	spec, err := networks.Lookup(arch)
	if err != nil {
		b.Fatal(err)
	}
	as := graph.Train
	if mode == "infer" {
		as = graph.Eval
	}
	g, err := networks.Build(spec, n, as, graph.NewParamSet(1))
	if err != nil {
		b.Fatal(err)
	}
	m, err := Compile(g, Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	spent := m.timeSteps()
	rng := rand.New(rand.NewPCG(1, 1))
	x, labels := make([]float32, n*g.ImageLen()), make([]int32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	for i := range labels {
		labels[i] = int32(rng.IntN(spec.Classes))
	}
	once := func() {
		var err error
		if as == graph.Train {
			_, err = m.Train(x, labels, graph.StepOptions{})
		} else {
			_, err = m.Infer(x, n)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	for range 2 {
		once()
	}
	for _, s := range spent {
		s.reset()
	}
	b.ResetTimer()
	for range b.N {
		once()
	}
	b.StopTimer()
	report(b, spent, len(m.workers))
}

// stepTime is the nanoseconds of one step of the schedule.
type stepTime struct {
	name                  string
	regions               int
	units                 int
	run, inner, finishing atomic.Int64
}

func (s *stepTime) reset() {
	s.run.Store(0)
	s.inner.Store(0)
	s.finishing.Store(0)
}

// timeSteps puts a clock around everything that the machine's steps do.
func (m *Machine) timeSteps() []*stepTime {
	packing := &stepTime{name: "packing of weights", units: len(m.packUnits), regions: -1}
	all := []*stepTime{packing}
	pack := m.doPack
	m.doPack = func(worker, u int) {
		defer since(&packing.run, time.Now())
		pack(worker, u)
	}
	for i, r := range m.regions {
		for _, st := range r.steps {
			t := &stepTime{name: st.name, regions: i, units: len(r.spans)}
			all = append(all, t)
			if run := st.run; run != nil {
				st.run = func(w *worker, u, first, n int) {
					defer since(&t.run, time.Now())
					run(w, u, first, n)
				}
			}
			if inner := st.runInner; inner != nil {
				st.runInner = func(w *worker, u int) {
					defer since(&t.inner, time.Now())
					inner(w, u)
				}
			}
			if finish := st.finish; finish != nil {
				st.finish = func() {
					defer since(&t.finishing, time.Now())
					finish()
				}
			}
		}
	}
	return all
}

func since(total *atomic.Int64, start time.Time) { total.Add(int64(time.Since(start))) }

func report(b *testing.B, spent []*stepTime, threads int) {
	wall := b.Elapsed().Seconds() * 1e3 / float64(b.N)
	ms := func(a *atomic.Int64, share int) float64 {
		return float64(a.Load()) / 1e6 / float64(b.N) / float64(share)
	}
	total := func(s *stepTime) float64 { return ms(&s.run, threads) + ms(&s.inner, threads) + ms(&s.finishing, 1) }
	sum := 0.
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "region\tunits\tunits' ms\tinner ms\tfinish ms\tstep\t")
	for _, s := range spent {
		sum += total(s)
		fmt.Fprintf(w, "%d\t%d\t%.2f\t%.2f\t%.2f\t%s\t\n", s.regions, s.units, ms(&s.run, threads), ms(&s.inner, threads), ms(&s.finishing, 1), s.name)
	}
	_ = w.Flush()
	fmt.Fprintf(&text, "%.1f ms a step, %.1f ms in steps shared by %d workers\n", wall, sum, threads)
	fmt.Printf("\n%s", text.String())
}
