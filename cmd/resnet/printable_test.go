package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"resnet/internal/text"
)

// hostile is a name that would command a terminal: 7-bit and 8-bit controls, and a character that
// turns the direction of text.
const hostile = "\x1bc\a\u009bJ\u202e'"

// commandsTerminal reports what in a command's output would command a terminal.
func commandsTerminal(said string) string {
	for i, r := range said {
		if r == utf8.RuneError || r != '\n' && !unicode.IsPrint(r) {
			return fmt.Sprintf("%q in %q", r, said[max(0, i-60):min(len(said), i+60)])
		}
	}
	return ""
}

// before are the arguments with which a command comes as far as looking at its flags.
var before = map[string][]string{
	"bench data": {"--seconds", "0.01"}, "bench train": {"--arch", "resnet20"}, "bench infer": {"--arch", "resnet20"}, "bench steps": {"--arch", "resnet20"},
	"compare depth": {"--dry-run", "--depths", "8", "--set", "train.iterations=0"}, "compare plain-vs-residual": {"--dry-run", "--depths", "8", "--set", "train.iterations=0"},
	"compare runs": {"nothing"}, "data fetch": {"cifar10", "--dir", "file"}, "data info": {"folder"}, "data pack": {"folder", "--out", "pack"}, "data verify": {"folder"},
	"eval": {"nothing"}, "export": {"nothing", "--format", "onnx", "--out", "x"}, "import": {"nothing", "--out", "x"}, "predict": {"nothing", "x.png"},
	"quickstart": {"--set", "train.iterations=0"}, "train": {"--config", "nothing"}, "models show": {"resnet20"},
	"speech adapt": {"nothing", "--out", "x"}, "speech features": {"nothing", "--out", "x.ark"}, "speech info": {"nothing"}, "speech posteriors": {"nothing", "x.wav", "--out", "x.ark"},
}

// TestMessagesDoNotCommandTheTerminal gives every command a name full of commands as an argument
// and as the value of each flag that takes text. What a command says when all is well is in
// TestWhatEveryCommandWritesAndSays.
func TestMessagesDoNotCommandTheTerminal(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("file", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	tried := 0
	try := func(args ...string) {
		tried++
		var out, errw bytes.Buffer
		_ = run(args, strings.NewReader(""), &out, &errw)
		if bad := commandsTerminal(out.String() + errw.String()); bad != "" {
			t.Errorf("%q: %s", args, bad)
		}
	}
	a, _, _ := testApp()
	walkCommands(newRootCmd(a), func(c *cobra.Command) {
		if c.HasSubCommands() || c.Name() == "completion" || c.Parent().Name() == "completion" {
			return
		}
		path := strings.Fields(c.CommandPath())[1:]
		with := slices.Concat(path, before[strings.Join(path, " ")])
		try(slices.Concat(path, []string{hostile})...)
		try(slices.Concat(path, []string{hostile, hostile, "--out", hostile + ".ark"})...)
		try(slices.Concat(path, []string{"--" + hostile})...)
		c.Flags().VisitAll(func(f *pflag.Flag) {
			value := hostile
			if f.Name == "dir" || f.Name == "out" || f.Name == "run" { // not to begin with the work
				value = "file/" + hostile + ".ark"
			}
			try(slices.Concat(with, []string{"--" + f.Name + "=" + value})...)
		})
	})
	if tried < 200 {
		t.Errorf("%d command lines", tried)
	}
	if got := text.PrintableLines("a\x1b[1m\nb\tc"); got != `a\x1b[1m`+"\n"+`b\x09c` {
		t.Errorf("%q", got)
	}
}
