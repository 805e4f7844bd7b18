package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// walk visits every command that help shows.
func walkCommands(c *cobra.Command, visit func(*cobra.Command)) {
	visit(c)
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() && sub.Name() != "help" && sub.Name() != "completion" {
			walkCommands(sub, visit)
		}
	}
}

func testApp() (*app, *bytes.Buffer, *bytes.Buffer) {
	var out, errw bytes.Buffer
	return &app{in: strings.NewReader(""), out: &out, err: &errw}, &out, &errw
}

func TestEveryExampleParses(t *testing.T) {
	a, _, _ := testApp()
	walkCommands(newRootCmd(a), func(c *cobra.Command) {
		for line := range strings.Lines(c.Example) {
			line, _, _ = strings.Cut(line, " | ")
			line, _, _ = strings.Cut(line, " > ")
			line, _, _ = strings.Cut(line, " < ")
			words := strings.Fields(line)
			if i := slices.Index(words, "resnet-mpi"); i > 0 && words[0] == "mpirun" {
				words = append([]string{"resnet"}, words[i+1:]...)
			}
			if len(words) == 0 || words[0] != "resnet" {
				t.Errorf("%s: example %q does not begin with resnet", c.CommandPath(), line)
				continue
			}
			fresh := newRootCmd(a)
			cmd, rest, err := fresh.Find(words[1:])
			if err != nil {
				t.Errorf("%s: example %q: %v", c.CommandPath(), line, err)
				continue
			}
			if err := cmd.ParseFlags(rest); err != nil {
				t.Errorf("%s: example %q: %v", c.CommandPath(), line, err)
				continue
			}
			if err := cmd.ValidateArgs(cmd.Flags().Args()); err != nil {
				t.Errorf("%s: example %q: %v", c.CommandPath(), line, err)
			}
		}
	})
}

func TestEveryHelpLeadsWithExamplesAndEndsWithExitStatus(t *testing.T) {
	a, _, _ := testApp()
	walkCommands(newRootCmd(a), func(c *cobra.Command) {
		n := strings.Count(strings.TrimSpace(c.Example), "\n") + 1
		if c.Example == "" || n > 4 {
			t.Errorf("%s: %d examples, want 1 to 4", c.CommandPath(), n)
		}
		var b bytes.Buffer
		c.SetOut(&b)
		printHelp(c, nil)
		if !strings.HasPrefix(b.String(), "Examples:\n") {
			t.Errorf("%s: help does not lead with examples:\n%s", c.CommandPath(), b.String())
		}
		_, end, found := strings.Cut(b.String(), "\nEXIT STATUS\n")
		if !found || strings.Contains(end, "Flags:") {
			t.Errorf("%s: help does not end with EXIT STATUS:\n%s", c.CommandPath(), b.String())
		}
	})
}

func TestFlagsThatExcludeEachOtherAreAUsageError(t *testing.T) {
	for args, want := range map[string]string{
		"train --run a --resume b":                   "resnet train: --resume and --run exclude each other\n",
		"models show resnet20 --json --dot":          "resnet models show: --dot and --json exclude each other\n",
		"models show resnet20 --fold --blocks --dot": "resnet models show: --blocks and --fold exclude each other\n",
	} {
		var out, errs bytes.Buffer
		if status := run(strings.Fields(args), strings.NewReader(""), &out, &errs); status != exitUsage || errs.String() != want || out.Len() > 0 {
			t.Errorf("%s: status %d, %q, %q", args, status, errs.String(), out.String())
		}
	}
}
