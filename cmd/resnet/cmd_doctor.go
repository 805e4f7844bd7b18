package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"resnet/internal/atomicfile"
	"resnet/internal/datasets"
	"resnet/internal/experiment"
	"resnet/internal/graph"
	"resnet/internal/graph/kernel"
	"resnet/internal/graph/schedule"
	"resnet/internal/system"
	"resnet/internal/text"
)

// finding is one line of doctor. Status is ok, warn or fail.
type finding struct {
	Name   string `json:"name"`
	Status string `json:"status"`
	Value  string `json:"value"`
	Hint   string `json:"hint,omitempty"`
}

// doctorReport is `doctor --json`.
type doctorReport struct {
	Version versionInfo `json:"version"`
	System  system.Info `json:"system"`
	Kernels []string    `json:"kernels_available"`
	// BFloat16 are the kernels in use that multiply bfloat16; generic means that none do.
	BFloat16          string   `json:"kernels_bfloat16"`
	BFloat16Available []string `json:"kernels_bfloat16_available"`
	// Bytes in the current folder; 0 means unknown.
	DiskFree int64                  `json:"disk_free"`
	Data     []experiment.DataState `json:"data"`
	Findings []finding              `json:"findings"`
}

func newDoctorCmd(a *app) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "doctor", Short: "Check this machine: processor, memory, disk, data, and a short calculation",
		Long:    "Says what a training would find here. It fails when a calculation gives a wrong result." + exitHelp(),
		Example: "  resnet doctor\n  resnet doctor --json", Args: exactArgs(),
		RunE: func(c *cobra.Command, _ []string) error { return runDoctor(c.Context(), a, asJSON) },
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func runDoctor(ctx context.Context, a *app, asJSON bool) error {
	r := doctorReport{Version: readVersion(), System: system.Read(), Kernels: kernel.Available(), BFloat16: kernel.ActiveBF16(), BFloat16Available: kernel.AvailableBF16()}
	if dir, err := os.Getwd(); err == nil {
		if free, known := atomicfile.OS.Free(dir); known {
			r.DiskFree = int64(free)
		}
	}
	for _, name := range datasets.Names() {
		r.Data = append(r.Data, experiment.StateOf(ctx, name))
	}
	r.Findings = append(r.Findings, r.examine()...)
	r.Findings = append(r.Findings, a.selfTest(graph.Float32, r.System.Threads))
	if a.getenv("RESNET_MACHINE") != "tape" { // which has float32 alone
		r.Findings = append(r.Findings, a.selfTest(graph.BFloat16, r.System.Threads))
	}
	failed := false
	for _, f := range r.Findings {
		failed = failed || f.Status == "fail"
	}
	if asJSON {
		if err := a.printJSON(r); err != nil {
			return err
		}
	} else if err := a.printFindings(r.Findings); err != nil {
		return err
	}
	if failed {
		return &silentError{fmt.Errorf("doctor found a fault")}
	}
	return nil
}

// examine judges what was read.
func (r *doctorReport) examine() []finding {
	s := r.System
	list := []finding{
		{Name: "resnet", Status: "ok", Value: r.Version.Version + ", " + r.Version.Go},
		{Name: "processor", Status: "ok", Value: fmt.Sprintf("%s, %d logical cores", cmp.Or(s.CPU, runtime.GOARCH), s.Cores)},
		{Name: "kernels", Status: "ok", Value: fmt.Sprintf("%s (of %s)", r.Version.Kernels, strings.Join(r.Kernels, ", "))},
	}
	narrow := finding{Name: "bfloat16", Status: "ok", Value: fmt.Sprintf("%s (of %s)", r.BFloat16, strings.Join(r.BFloat16Available, ", "))}
	if r.BFloat16 == "generic" {
		narrow.Value = "in memory alone: products are float32"
	}
	list = append(list, narrow)
	if r.Version.Kernels == "generic" {
		list[2].Status, list[2].Hint = "warn", "no assembly kernels: expect a tenth of the speed; build without -tags purego for arm64 or a CPU with AVX2, and unset RESNET_CPU"
	}
	threads := finding{Name: "threads", Status: "ok", Value: fmt.Sprintf("%d by default", s.Threads)}
	if s.Quota > 0 {
		threads.Value += fmt.Sprintf(", %.3g cores allowed by the control group", s.Quota)
		if float64(s.Threads) > s.Quota+0.5 {
			threads.Status, threads.Hint = "warn", fmt.Sprintf("more threads than cores: use --threads %d", max(1, int(s.Quota)))
		}
	}
	if s.MemoryNodes > 1 {
		threads.Value += fmt.Sprintf(", %d nodes of memory", s.MemoryNodes)
	}
	switch {
	case threads.Hint != "":
	case s.MemoryNodes > 1:
		threads.Hint = fmt.Sprintf("with train.accumulate above 1, train --workers %d or a multiple of it keeps each worker's threads beside its memory (--dry-run suggests how many)", s.MemoryNodes)
	case s.Threads > schedule.Units/2:
		threads.Hint = fmt.Sprintf("%d threads of one worker wait for each other: with train.accumulate above 1, train --workers N divides them (--dry-run suggests how)", s.Threads)
	}
	binding, known := s.Binding()
	memory := finding{Name: "memory", Status: "ok", Value: fmt.Sprintf("%s free of %s", text.Bytes(s.Available()), text.Bytes(s.MemoryTotal))}
	if known && binding.Kind != system.Machine {
		memory.Value += fmt.Sprintf(": %s allows %s", binding, text.Bytes(binding.Bytes))
	}
	if !known {
		memory.Value = "unknown on this system"
	} else if binding.Room() < 2e9 {
		memory.Status, memory.Hint = "warn", "resnet110 with batches of 128 takes about 2 GB: lower train.batch and raise train.accumulate"
	}
	disk := finding{Name: "disk", Status: "ok", Value: text.Bytes(r.DiskFree) + " free in this folder"}
	if r.DiskFree == 0 {
		disk.Value = "unknown on this system"
	} else if r.DiskFree < 1e9 {
		disk.Status, disk.Hint = "warn", "a run keeps several checkpoints: make room or choose another --run"
	}
	list = append(list, threads, memory, disk)
	for _, d := range r.Data {
		f := finding{Name: "data " + d.Name, Status: "ok", Value: d.State}
		switch d.State {
		case "absent":
			if f.Hint = d.Local; f.Hint == "" {
				f.Hint = "resnet data fetch " + d.Name
			}
		case "damaged":
			f.Status, f.Hint = "warn", "resnet data verify "+d.Name
		case "":
			continue
		}
		list = append(list, f)
	}
	return list
}

// selfTest computes a small residual network twice, by the kernels in a precision and by the
// reference operators in float32, and compares.
func (a *app) selfTest(p graph.Precision, threads int) finding {
	start := time.Now()
	worst, err := experiment.SelfTest(a.environment(), p, threads)
	return judgeSelfTest(p, worst, err, time.Since(start))
}

// judgeSelfTest judges the largest difference, relative to the largest logit.
func judgeSelfTest(p graph.Precision, worst float64, err error, took time.Duration) finding {
	f := finding{Name: "self-test", Status: "fail"}
	most := 1e-3
	if p == graph.BFloat16 { // which rounds values by up to 1/512
		f.Name, most = "self-test bfloat16", 0.02
	}
	switch {
	case err != nil:
		f.Value = err.Error()
	case !(worst < most):
		f.Value, f.Hint = fmt.Sprintf("logits differ by %.2g of the largest", worst), "report this with the output of `resnet doctor --json`; RESNET_CPU=generic avoids the assembly"
	default:
		f.Status, f.Value = "ok", fmt.Sprintf("a residual network in %s, within %.1g of the reference", text.Duration(took), worst)
	}
	return f
}

func (a *app) printFindings(list []finding) error {
	tw := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	for _, f := range list {
		fmt.Fprintf(tw, "%s\t%s\t%s\n", f.Status, f.Name, f.Value)
		if f.Hint != "" {
			fmt.Fprintf(tw, "\t\t-> %s\n", f.Hint)
		}
	}
	return tw.Flush()
}
