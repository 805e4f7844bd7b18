package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"resnet/internal/datasets/speech/inspect"
	"resnet/internal/text"
)

const speechInfoHelp = `Describes recordings (WAV, FLAC), Kaldi archives and scripts (plain or gzip), and HTK feature files:
kinds, dimensions, frames, durations, smallest and largest value. Every file is read completely, so a
damaged file is found; checksums are verified where a file has them.

The content of a file decides what it is. A name that ends in .scp is a script, whose entries are
recordings or objects. ark:FILE and scp:FILE say which it is, as in Kaldi.`

func newSpeechInfoCmd(a *app) *cobra.Command {
	var entries int
	var asJSON bool
	c := &cobra.Command{
		Use: "info FILE...", Short: "Say what is in recordings, archives, scripts and feature files",
		Long:    speechInfoHelp + exitHelp(help65, help66, help74, helpStopped),
		Example: "  resnet speech info feats.scp\n  resnet speech info digit.wav ali.ark.gz --entries 3\n  resnet speech info feats.ark --json --entries -1",
		Args:    atLeastArgs(1, "FILE"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.interruptible(c.Context(), "", func(ctx context.Context) error {
				return runSpeechInfo(ctx, a, args, entries, asJSON)
			})
		},
	}
	bounded(c.Flags(), &entries, "entries", 10, -1, maxCount, "entries of a file that are shown; -1: all")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// speechFile is a file in speech info --json.
type speechFile struct {
	inspect.Report
	Items []inspect.Item `json:"items"` // as many as --entries allows
}

func runSpeechInfo(ctx context.Context, a *app, paths []string, entries int, asJSON bool) error {
	var files []speechFile
	for i, path := range paths {
		f := speechFile{Items: []inspect.Item{}}
		report, err := inspect.File(ctx, path, func(item inspect.Item) error {
			if entries < 0 || len(f.Items) < entries {
				f.Items = append(f.Items, item)
			}
			return nil
		})
		if err != nil {
			return err
		}
		f.Report = report
		files = append(files, f)
		if !asJSON {
			if i > 0 {
				fmt.Fprintln(a.out)
			}
			if err := printSpeechFile(a, f); err != nil {
				return err
			}
		}
	}
	if asJSON {
		return a.printJSON(map[string]any{"files": files})
	}
	return nil
}

// printSpeechFile writes the sums of a file, and its entries where there are several.
func printSpeechFile(a *app, f speechFile) error {
	fmt.Fprintf(a.out, "%s: %s\n", text.Printable(f.File), f.Format)
	tw := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(tw, "entries\t%s (%s)\n", text.Grouped(f.Entries), kindsText(f.Kinds))
	if f.Entries > 0 {
		what := "frames"
		if len(f.Rates) > 0 {
			what = "samples"
			fmt.Fprintf(tw, "sound\t%s at %s Hz\n", text.Duration(time.Duration(f.Seconds*float64(time.Second))), numbersText(f.Rates))
		}
		fmt.Fprintf(tw, "%s\t%s\n", what, text.Grouped(f.Frames))
		if len(f.Rates) > 0 {
			fmt.Fprintf(tw, "channels\t%s\n", numbersText(f.Dims))
		} else {
			fmt.Fprintf(tw, "width\t%s\n", numbersText(f.Dims))
		}
		fmt.Fprintf(tw, "values\t%.6g to %.6g\n", f.Min, f.Max)
		if f.Odd > 0 {
			fmt.Fprintf(tw, "not finite\t%s\n", text.Grouped(f.Odd))
		}
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	if len(f.Items) > 0 && f.Entries > 1 {
		fmt.Fprintln(a.out)
		fmt.Fprintln(tw, "key\tkind\trows\tcols\tmin\tmax")
		for _, i := range f.Items {
			fmt.Fprintf(tw, "%s\t%s\t%d\t%d\t%.6g\t%.6g\n", text.Printable(i.Key), text.Printable(i.Kind), i.Rows, i.Cols, i.Min, i.Max)
		}
		if left := f.Entries - len(f.Items); left > 0 {
			fmt.Fprintf(tw, "… %s more\n", text.Grouped(left))
		}
	}
	return tw.Flush()
}

// kindsText names the kinds and how many there are of each where there are several.
func kindsText(kinds map[string]int) string {
	var names []string
	for k := range kinds {
		names = append(names, k)
	}
	slices.Sort(names)
	for i, k := range names {
		names[i] = text.Printable(k)
		if len(kinds) > 1 {
			names[i] = fmt.Sprintf("%s %s", text.Grouped(kinds[k]), names[i])
		}
	}
	return strings.Join(names, ", ")
}

// numbersText lists a few numbers, or the smallest and largest of many.
func numbersText(sorted []int) string {
	if len(sorted) > 6 {
		return fmt.Sprintf("%d to %d", sorted[0], sorted[len(sorted)-1])
	}
	parts := make([]string, len(sorted))
	for i, n := range sorted {
		parts[i] = fmt.Sprint(n)
	}
	return strings.Join(parts, ", ")
}
