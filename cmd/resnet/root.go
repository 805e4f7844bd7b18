package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"resnet/internal/config"
	"resnet/internal/experiment"
	"resnet/internal/text"
)

const rootHelp = `Train, evaluate and compare plain and residual networks (He et al. 2016) on CPUs.

Start with ` + "`resnet quickstart`" + `: plain against residual on embedded images, about a minute, nothing to download.`

const rootExample = `  resnet quickstart
  resnet train --config cifar20-short
  resnet eval runs/cifar20-short-1
  resnet models list`

// newRootCmd assembles the command tree.
func newRootCmd(a *app) *cobra.Command {
	root := &cobra.Command{
		Use: "resnet", Short: "Plain and residual networks on CPUs",
		Long: rootHelp + exitHelp(help65, help66, help70, help73, help74, help130), Example: rootExample,
		SilenceErrors: true, SilenceUsage: true,
		SuggestionsMinimumDistance: 2,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(c, args[0])
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
		PersistentPreRunE: func(c *cobra.Command, _ []string) error {
			if err := flagGroups(c); err != nil {
				return err
			}
			if err := a.chooseKernels(); err != nil {
				return err
			}
			return a.enterRanks(c)
		},
	}
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(commands(a)...)
	root.SetUsageTemplate(usageTemplate)
	root.SetHelpFunc(printHelp)
	root.InitDefaultCompletionCmd()
	return root
}

// usageTemplate is cobra's without the examples, which lead the help text instead.
const usageTemplate = `Usage:{{if .Runnable}}
  {{.UseLine}}{{end}}{{if .HasAvailableSubCommands}}
  {{.CommandPath}} COMMAND

Commands:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableInheritedFlags}}

Global flags:
{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}
`

// printHelp leads with the examples and ends with EXIT STATUS.
func printHelp(c *cobra.Command, _ []string) {
	out := c.OutOrStdout()
	if c.Example != "" {
		fmt.Fprintf(out, "Examples:\n%s\n\n", c.Example)
	}
	long, exit, found := strings.Cut(c.Long, exitHeading)
	fmt.Fprintf(out, "%s\n\n%s", strings.TrimSpace(long), c.UsageString())
	if found {
		fmt.Fprintf(out, "\n%s%s\n", strings.TrimLeft(exitHeading, "\n"), exit)
	}
}

// group returns a command that only holds others: `resnet data` prints help, `resnet data fetsh` a
// suggestion.
func group(use, short, long, example string, subs ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use: use, Short: short, Long: long, Example: example,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(c, args[0])
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(subs...)
	return c
}

func unknownCommand(c *cobra.Command, word string) error {
	var names []string
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	return usageErrorf("%s: unknown command %q%s", c.CommandPath(), word, text.DidYouMean(word, names))
}

var unknownFlag = regexp.MustCompile(`^unknown flag: --([^=\s]+)`)

// flagGroups makes flags that exclude each other a usage error; cobra's own is none.
func flagGroups(c *cobra.Command) error {
	if err := c.ValidateFlagGroups(); err != nil {
		given := err.Error()
		if _, list, ok := strings.Cut(given, "; ["); ok { // "[resume run] were all set"
			list, _, _ = strings.Cut(list, "]")
			given = "--" + strings.ReplaceAll(list, " ", " and --") + " exclude each other"
		}
		return usageErrorf("%s: %s", c.CommandPath(), given)
	}
	return nil
}

// flagError makes a wrong flag a usage error with a suggestion; cobra itself suggests subcommands
// only.
func flagError(c *cobra.Command, err error) error {
	if errors.Is(err, pflag.ErrHelp) {
		return err
	}
	m := unknownFlag.FindStringSubmatch(err.Error())
	if m == nil {
		return usageErrorf("%s: %w; see `%s --help`", c.CommandPath(), err, c.CommandPath())
	}
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
	return usageErrorf("%s: unknown flag --%s%s", c.CommandPath(), m[1], text.DidYouMean("--"+m[1], names))
}

// exactArgs is cobra.ExactArgs with a usage error that names what is missing.
func exactArgs(names ...string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) < len(names) {
			return usageErrorf("%s: %s is missing; see `%s --help`", c.CommandPath(), names[len(args)], c.CommandPath())
		}
		if len(args) > len(names) {
			return usageErrorf("%s: unexpected argument %q", c.CommandPath(), args[len(names)])
		}
		return nil
	}
}

// optionalArg allows one argument.
func optionalArg(c *cobra.Command, args []string) error {
	if len(args) > 1 {
		return usageErrorf("%s: unexpected argument %q", c.CommandPath(), args[1])
	}
	return nil
}

// atLeastArgs wants n arguments or more.
func atLeastArgs(n int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) < n {
			return usageErrorf("%s: %s is missing; see `%s --help`", c.CommandPath(), what, c.CommandPath())
		}
		return nil
	}
}

// run executes the command line and returns the exit status.
func run(args []string, in io.Reader, out, errw io.Writer) int {
	a := newApp(in, out, errw)
	root := newRootCmd(a)
	root.SetArgs(args)
	err := root.Execute()
	if err == nil && a.results.lost != nil {
		err = &experiment.IOError{Err: a.results.lost}
	}
	said := ""
	var silent *silentError
	if err != nil && !errors.As(err, &silent) {
		prefix := "resnet: "
		if isConfigError(err) || strings.HasPrefix(err.Error(), "resnet ") || strings.HasPrefix(err.Error(), prefix) {
			prefix = "" // file:line:col comes first, so that editors and terminals link it
		}
		said = err.Error()
		a.say("%s%s", prefix, text.PrintableLines(said))
		if _, err := os.Getwd(); errors.Is(err, fs.ErrNotExist) {
			a.say("note: the working folder has been removed, and relative paths lead nowhere")
		}
	}
	if a.group != nil {
		return a.closeRanks(exitStatus(err), said)
	}
	return exitStatus(err)
}

func isConfigError(err error) bool {
	var c *config.Error
	return errors.As(err, &c)
}
