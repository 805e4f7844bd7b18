package main

import (
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"resnet/internal/experiment"
	"resnet/internal/text"
)

const benchAllreduceHelp = `Measures how long the ranks of a training take to sum their gradients, whole and in the
buckets of a training, and checks every value of the sum. It runs under a launcher of MPI, with
resnet-mpi.

Calculated from it: the least time that the bytes take on networks of 10, 25 and 100 Gb/s and, with
--update, the efficiency of 2 to 64 machines on them: an update's time without sums over that with
them, and "beside", where buckets are summed beside the backward pass, taken as two thirds of the
update. Where all ranks are on one host, what is measured is the processors' work, which then comes
on top of the time of the bytes.`

// resnet50Values are the gradients of ResNet-50.
const resnet50Values = 25_557_032

func newBenchAllreduceCmd(a *app) *cobra.Command {
	var o experiment.AllreduceOptions
	var asJSON bool
	c := &cobra.Command{
		Use: "allreduce", Short: "Measure sums of gradients among the ranks of MPI", Long: benchAllreduceHelp + exitHelp(),
		Example: "  mpirun -n 2 --bind-to none resnet-mpi bench allreduce\n  mpirun -n 4 --bind-to none resnet-mpi bench allreduce --values 1730714 --update 80ms --json",
		Args:    exactArgs(),
		RunE: func(*cobra.Command, []string) error {
			if a.group == nil {
				return usageErrorf("bench allreduce: one process has nobody to sum with: mpirun -n 2 --bind-to none resnet-mpi bench allreduce (`make build-mpi`)")
			}
			if o.Update < 0 || o.Update > 24*time.Hour {
				return usageErrorf("bench allreduce: --update is a time of up to 24h, such as 850ms")
			}
			r, err := experiment.BenchAllreduce(a.environment(), a.ranks(), a.group.Hosts(), o)
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(r)
			}
			return a.printAllreduce(r)
		},
	}
	f := c.Flags()
	bounded(f, &o.Values, "values", resnet50Values, 1, 1<<30, "gradients that are summed, of 4 bytes each (the default is ResNet-50)")
	bounded(f, &o.Rounds, "rounds", 9, 1, maxMeasured, "sums that are measured, after one that is not")
	f.DurationVar(&o.Update, "update", 0, "what an update of one machine takes without sums, as `bench train` measures it, such as 850ms")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// printAllreduce writes what was measured and what follows.
func (a *app) printAllreduce(r experiment.AllreduceReport) error {
	tw := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(tw, "sums of %s values (%s); %s\n\n", text.Grouped(r.Values), text.Bytes(r.Bytes), a.describeRanks())
	fmt.Fprintln(tw, "measured\tms\tfrom\tto\tGb/s that each rank sends")
	for _, row := range []struct {
		name string
		experiment.AllreduceTime
	}{{"whole", r.Whole}, {"in buckets", r.Buckets}} {
		fmt.Fprintf(tw, "%s\t%.2f\t%.2f\t%.2f\t%.2f\n", row.name, row.Ms, row.MsMin, row.MsMax, row.Gigabits)
	}
	fmt.Fprintln(tw, "\ncalculated: Gb/s\tms that the bytes of such a sum take at least")
	for _, b := range r.Bounds {
		fmt.Fprintf(tw, "%.0f\t%.2f\n", b.Gigabits, b.Ms)
	}
	if len(r.Clusters) > 0 {
		fmt.Fprintln(tw, "\ncalculated: machines\tGb/s\tms a sum\tefficiency\tbeside")
	}
	for _, c := range r.Clusters {
		fmt.Fprintf(tw, "%d\t%.0f\t%.1f\t%.0f %%\t%.0f %%\n", c.Machines, c.Gigabits, c.SumMs, c.EfficiencyPercent, c.OverlappedPercent)
	}
	return tw.Flush()
}
