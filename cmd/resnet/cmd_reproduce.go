package main

import (
	"strings"

	"github.com/spf13/cobra"

	"resnet/internal/experiment"
)

const reproduceHelp = `Trains the networks of a figure or a table of He et al. 2016 by its recipes, each in its own folder
within --out, and reports them beside the paper's: the figure, the table, and of each claim of the
paper whether these runs bear it out.

  fig6     plain and residual networks of 20 to 110 layers, and 1202, on CIFAR-10
  table2   18 and 34 layers, plain and residual, on ImageNet; needs --set data.dir=FOLDER
  table6   residual networks of 20 to 1202 layers on CIFAR-10, five runs of 110

A finished run is not trained again, an interrupted one goes on to the bit: after any stop, give the
same command again. In full these are weeks on two cores: --dry-run says how long. --short divides
every schedule by one factor and says so: by 100, or by as much more as there are fewer images;
--short=20 by 20.`

func newReproduceCmd(a *app) *cobra.Command {
	o := &compareOptions{}
	c := &cobra.Command{
		Use: "reproduce " + strings.Join(experiment.Reproductions(), "|"), Short: "A figure or a table of the paper, trained and reported",
		Long: reproduceHelp + exitHelp(help65, help66, help73, help74, help130),
		Example: "  resnet reproduce fig6 --dry-run\n  resnet reproduce fig6 --short --out fig6-short\n" +
			"  resnet reproduce table2 --set data.dir=imagenet --out table2",
		Args: exactArgs("NAME"), ValidArgs: experiment.Reproductions(),
		RunE: func(c *cobra.Command, args []string) error {
			if f := c.Flags().Lookup("short"); f.Changed && o.short <= 1 && o.short != experiment.ShortAuto {
				return usageErrorf("--short: %v: the factor has to be above 1", f.Value)
			}
			if o.out == "" {
				o.out = "reproduce-" + args[0]
			}
			return trainComparison(c.Context(), a, o, args[0], experiment.NewReproduction)
		},
	}
	o.registerSets(c)
	o.trainingFlags(c, "reproduce-NAME")
	c.Flags().Float64Var(&o.short, "short", 0, "divide every schedule by this factor (without a number: 100, or more for fewer images)")
	c.Flags().Lookup("short").NoOptDefVal = "-1"
	return c
}
