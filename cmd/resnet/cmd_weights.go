package main

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"resnet/internal/datasets"
	"resnet/internal/experiment"
	"resnet/internal/text"
)

func newWeightsCmd(a *app) *cobra.Command {
	return group("weights", "List and fetch published weights",
		"torchvision's ResNets, trained on ImageNet. Other files are imported with `resnet import`."+exitHelp(help65, help74),
		"  resnet weights list\n  resnet weights fetch resnet18 --out resnet18.safetensors",
		newWeightsListCmd(a), newWeightsFetchCmd(a))
}

func completeWeights(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return experiment.PublishedNames(), cobra.ShellCompDirectiveNoFileComp
}

func newWeightsListCmd(a *app) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "list", Short: "List the weights that can be fetched",
		Long:    "Lists the weights by name, with the top-1 error that their source gives for them." + exitHelp(),
		Example: "  resnet weights list\n  resnet weights list --json", Args: exactArgs(),
		RunE: func(*cobra.Command, []string) error {
			rows := experiment.AllPublished()
			if asJSON {
				return a.printJSON(map[string]any{"weights": rows})
			}
			tw := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(tw, "name\tarchitecture\ttop-1 error\tshorter side\tsource")
			for _, p := range rows {
				fmt.Fprintf(tw, "%s\t%s\t%.3f %%\t%d\t%s\n", p.Name, p.Arch, p.Top1, p.Resize, p.Source)
			}
			return tw.Flush()
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func newWeightsFetchCmd(a *app) *cobra.Command {
	var dir, out string
	c := &cobra.Command{
		Use: "fetch NAME", Short: "Download published weights, checked by their digest",
		Long: "Downloads to the user's cache folder or --dir. An interrupted download is resumed; the file is in place only when its SHA-256 begins\n" +
			"as its name says. With --out a checkpoint is made of it, with torchvision's preprocessing, as `resnet import` would." + exitHelp(help65, help74),
		Example:           "  resnet weights fetch resnet50-v2 --out resnet50.safetensors\n  resnet weights fetch resnet18 --dir /data/weights",
		Args:              exactArgs("NAME"),
		ValidArgsFunction: completeWeights,
		RunE:              func(c *cobra.Command, args []string) error { return runWeightsFetch(c.Context(), a, args[0], dir, out) },
	}
	c.Flags().StringVar(&dir, "dir", "", "folder for the file (default the user's cache folder)")
	c.Flags().StringVar(&out, "out", "", "checkpoint to make of it")
	return c
}

func runWeightsFetch(ctx context.Context, a *app, name, dir, out string) error {
	p, err := experiment.LookupPublished(name)
	if err != nil {
		return err
	}
	var path string
	stopped := fmt.Sprintf("Stopped; what has arrived is kept. Continue: %s weights fetch %s", a.self, p.Name)
	err = a.interruptible(ctx, stopped, func(ctx context.Context) (err error) {
		show := fetchProgress{a: a}
		defer show.close()
		path, err = p.Fetch(ctx, dir, datasets.FetchOptions{Progress: show.update, Waiting: show.waiting})
		return err
	})
	if err != nil {
		return err
	}
	if out == "" {
		_, err = fmt.Fprintf(a.out, "%s is in %s\nA checkpoint is made of it by: %s weights fetch %s --out %s.safetensors\n", p.Name, text.Printable(path), a.self, p.Name, p.Name)
		return err
	}
	r, err := p.Import(path, out)
	if err != nil {
		return err
	}
	return a.printImported(&importOptions{}, r)
}
