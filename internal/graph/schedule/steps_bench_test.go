package schedule

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	networks "resnet/internal/blocks"
	"resnet/internal/graph"
)

// BenchmarkSteps says where the time of a network goes: the median time of each step. STEPS
// chooses: "resnet18 train 16", for example.
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
	rng := rand.New(rand.NewPCG(1, 1))
	x, labels := make([]float32, n*g.ImageLen()), make([]int32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	for i := range labels {
		labels[i] = int32(rng.IntN(spec.Classes))
	}
	Report(b, m, func() error {
		if as == graph.Eval {
			_, err := m.Infer(x, n)
			return err
		}
		_, err := m.Train(x, labels, graph.StepOptions{})
		return err
	})
}

// Report profiles b.N calls and prints the steps.
func Report(b *testing.B, m *Machine, call func() error) {
	steps, whole, err := m.Profile(b.N, call)
	if err != nil {
		b.Fatal(err)
	}
	sum := time.Duration(0)
	ms := func(d time.Duration) float64 { return d.Seconds() * 1e3 }
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "region\tunits\tms\tMB\tGB/s\tstep\t")
	for _, s := range steps {
		sum += s.Time
		fmt.Fprintf(w, "%d\t%d\t%.2f\t%.2f\t%.1f\t%s\t\n", s.Region, s.Units, ms(s.Time), float64(s.Bytes)/1e6, float64(s.Bytes)/1e9/max(s.Time.Seconds(), 1e-9), strings.TrimSpace(s.Kind+" "+s.Shape+" "+s.Algorithm))
	}
	_ = w.Flush()
	fmt.Fprintf(&text, "%.1f ms a step, %.1f ms in steps shared by %d workers\n", ms(whole), ms(sum), len(m.workers))
	fmt.Printf("\n%s", text.String())
}
