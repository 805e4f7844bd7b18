package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"resnet/internal/datasets"
	"resnet/internal/experiment"
	"resnet/internal/text"
)

func newDataCmd(a *app) *cobra.Command {
	return group("data", "List, fetch, verify, describe and pack data sets",
		"Data sets are kept in the user's cache folder, or where --dir says."+exitHelp(help65, help66, help73, help74),
		"  resnet data list\n  resnet data fetch cifar10\n  resnet data verify cifar10 --dir /data/cifar10\n  resnet data info fashion-sample",
		newDataListCmd(a), newDataFetchCmd(a), newDataVerifyCmd(a), newDataInfoCmd(a), newDataPackCmd(a))
}

func completeData(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return datasets.Names(), cobra.ShellCompDirectiveNoFileComp
}

func newDataListCmd(a *app) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "list", Short: "List the data sets and whether they are here", Long: "Lists every data set and corpus of speech that data.name takes. What has no state is read from data.dir." + exitHelp(),
		Example: "  resnet data list\n  resnet data list --json", Args: exactArgs(),
		RunE: func(c *cobra.Command, _ []string) error {
			var rows []experiment.DataState
			for _, name := range append(datasets.Names(), datasets.SpeechNames()...) {
				rows = append(rows, experiment.StateOf(c.Context(), name))
			}
			if asJSON {
				return a.printJSON(map[string]any{"data": rows})
			}
			tw := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
			for _, r := range rows {
				fmt.Fprintf(tw, "%s\t%s\t%s\n", r.Name, r.State, r.Title)
			}
			return tw.Flush()
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func newDataFetchCmd(a *app) *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use: "fetch NAME", Short: "Download a data set, checked by its digest",
		Long: "Downloads to the user's cache folder or --dir. An interrupted download is resumed; a file is in place only when its digest is right.\n" +
			"Where another process fetches into the same folder, it waits for that." + exitHelp(help65, help74),
		Example:           "  resnet data fetch cifar10\n  resnet data fetch fashion-mnist --dir /data/fashion",
		Args:              exactArgs("NAME"),
		ValidArgsFunction: completeData,
		RunE:              func(c *cobra.Command, args []string) error { return runDataFetch(c.Context(), a, args[0], dir) },
	}
	c.Flags().StringVar(&dir, "dir", "", "folder for the files (default the user's cache folder)")
	return c
}

func newDataVerifyCmd(a *app) *cobra.Command {
	var dir string
	var asJSON bool
	c := &cobra.Command{
		Use: "verify NAME", Short: "Compare a data set's files with their digests",
		Long: "Reads every file. `differs` means a converted copy: sizes, counts and labels are right, the contents are not the\nofficial ones; training accepts it." +
			exitHelp(help65, help66, help74),
		Example: "  resnet data verify cifar10\n  resnet data verify cifar10 --dir /data/cifar10 --json", Args: exactArgs("NAME"),
		ValidArgsFunction: completeData,
		RunE: func(c *cobra.Command, args []string) error {
			return runDataVerify(c.Context(), a, args[0], dir, asJSON)
		},
	}
	c.Flags().StringVar(&dir, "dir", "", "folder that holds it (default the user's cache folder)")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// knownData refuses a name that is no data set before anything else happens.
func knownData(name string) error {
	if err := datasets.Known(name); err != nil {
		return usageErrorf("%w; `resnet data list` shows all", err)
	}
	return nil
}

func runDataVerify(ctx context.Context, a *app, name, dir string, asJSON bool) error {
	if err := knownData(name); err != nil {
		return err
	}
	r, err := datasets.Verify(ctx, name, dir)
	if err != nil {
		return err
	}
	if asJSON {
		if err := a.printJSON(r); err != nil {
			return err
		}
		if err := r.Err(); err != nil {
			return &silentError{err}
		}
		return nil
	}
	tw := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	for _, f := range r.Files {
		fmt.Fprintf(tw, "%s\t%s\t%s\n", f.Status, text.Printable(f.Path), text.Printable(f.Detail))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	return r.Err()
}

func newDataInfoCmd(a *app) *cobra.Command {
	var all, asJSON bool
	cfg := datasets.Bare("")
	c := &cobra.Command{
		Use: "info NAME", Short: "Show sizes, classes and the mean of a data set", Long: "Opens the data set and counts." + exitHelp(help65, help66),
		Example: "  resnet data info cifar10\n  resnet data info fashion-sample --json", Args: exactArgs("NAME"),
		ValidArgsFunction: completeData,
		RunE: func(c *cobra.Command, args []string) error {
			cfg.Name = args[0]
			return runDataInfo(c.Context(), a, cfg, all, asJSON)
		},
	}
	c.Flags().StringVar(&cfg.Dir, "dir", "", "folder that holds it (default the user's cache folder)")
	c.Flags().StringVar(&cfg.Labels, "labels", "", "imagenet: text file with the labels of the validation images; folder: table of file names and classes")
	c.Flags().StringVar(&cfg.LabelPattern, "label-pattern", "", "folder: name-number (cat.0.jpg), or a regular expression on paths whose first group is the class")
	c.Flags().BoolVar(&all, "classes", false, "list the classes of a set that has more than 100, too")
	bounded(c.Flags(), &cfg.Size, "size", 0, 0, maxCount, "images of any size: pixels of the square that is cut out (default 224; folder 32)")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// manyClasses are too many to list without being asked.
const manyClasses = 100

func runDataInfo(ctx context.Context, a *app, cfg datasets.Config, all, asJSON bool) error {
	if err := knownData(cfg.Name); err != nil {
		return err
	}
	if (cfg.Name == "folder" || cfg.Name == "parquet" || cfg.Name == "webdataset") && cfg.Size == 0 {
		cfg.Size = 32 // every image is decoded: small ones are faster
	}
	ds, err := datasets.Open(ctx, cfg, 0)
	if err != nil {
		return err
	}
	s, err := datasets.Describe(ctx, ds)
	if err != nil {
		return err
	}
	if asJSON {
		return a.printJSON(s)
	}
	fmt.Fprintf(a.out, "%s: %s\nimages   %s training, %s validation, %s test, %dx%dx%d\n", s.Name, s.Title, text.Grouped(s.Train), text.Grouped(s.Val), text.Grouped(s.Test),
		s.Channels, s.Height, s.Width)
	of := ""
	if s.Train > 0 && s.Measured < s.Train {
		of = fmt.Sprintf("   (of %s images, drawn evenly)", text.Grouped(s.Measured))
	}
	fmt.Fprintf(a.out, "mean     %s%s\nstd      %s\n", floats(s.ChannelMean), of, floats(s.ChannelStd))
	for _, note := range s.Notes {
		fmt.Fprintf(a.out, "note     %s\n", text.Printable(note))
	}
	splits := []datasets.Split{datasets.Train, datasets.Val, datasets.Test}
	if len(s.Classes) > manyClasses && !all {
		for _, split := range splits {
			if n := s.PerClass[split]; n != nil {
				some := slices.DeleteFunc(slices.Clone(n), func(k int) bool { return k == 0 })
				each := text.Grouped(slices.Min(some))
				if most := text.Grouped(slices.Max(some)); most != each {
					each += " to " + most
				}
				fmt.Fprintf(a.out, "%-8s images in %s of %s classes, %s each\n", split, text.Grouped(len(some)), text.Grouped(len(n)), each)
			}
		}
		_, err := fmt.Fprintln(a.out, "(--classes lists them)")
		return err
	}
	fmt.Fprintln(a.out)
	tw := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	head := "class\tname\t"
	for _, split := range splits {
		if s.PerClass[split] != nil {
			head += string(split) + "\t"
		}
	}
	fmt.Fprintln(tw, head)
	for i, name := range s.Classes {
		fmt.Fprintf(tw, "%d\t%s\t", i, text.Printable(name))
		for _, split := range splits {
			if n := s.PerClass[split]; n != nil {
				fmt.Fprintf(tw, "%s\t", text.Grouped(n[i]))
			}
		}
		fmt.Fprintln(tw)
	}
	return tw.Flush()
}

func floats(v []float64) string {
	parts := make([]string, len(v))
	for i, x := range v {
		parts[i] = fmt.Sprintf("%.4f", x)
	}
	return strings.Join(parts, " ")
}
