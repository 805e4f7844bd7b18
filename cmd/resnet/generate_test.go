package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"resnet/internal/config"
)

// TestTheReferenceIsCurrent compares docs/reference with what the program writes today.
func TestTheReferenceIsCurrent(t *testing.T) {
	a, _, _ := testApp()
	files, err := reference(newRootCmd(a))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join("../../docs/reference", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("docs/reference/%s is not current: make docs\n%s", name, cmp.Diff(string(got), string(want)))
		}
	}
	commands, keys := string(files["commands.md"]), string(files["configuration.md"])
	walkCommands(newRootCmd(a), func(c *cobra.Command) {
		if strings.Count(commands, "\n## "+c.CommandPath()+"\n") != 1 {
			t.Errorf("commands.md has not one heading for %s", c.CommandPath())
		}
	})
	for _, k := range config.Keys() {
		if strings.Count(keys, "\n| `"+k.Path+"` | ") != 1 {
			t.Errorf("configuration.md has not one row for %s", k.Path)
		}
	}
	for _, want := range []string{
		"| `train.batch` | a whole number | `128` | ",
		"| `train.schedule.drop.at_epochs` | a list of whole numbers | `[]` | ",
		"| `data.dir` | text |  | ",
	} {
		if !strings.Contains(keys, want) {
			t.Errorf("configuration.md lacks %q", want)
		}
	}
}

// TestGeneratedFiles runs the command: a man page of each command with its flags, the same bytes
// each time, and completions that name the commands.
func TestGeneratedFiles(t *testing.T) {
	dir := t.TempDir()
	var first []byte
	for range 2 {
		a, _, _ := testApp()
		root := newRootCmd(a)
		root.SetArgs([]string{"generate", "--man", filepath.Join(dir, "man"), "--completion", filepath.Join(dir, "completion")})
		if err := root.Execute(); err != nil {
			t.Fatal(err)
		}
		page, err := os.ReadFile(filepath.Join(dir, "man", "resnet-compare-plain-vs-residual.1"))
		if err != nil {
			t.Fatal(err)
		}
		if first != nil && !bytes.Equal(page, first) {
			t.Error("a man page differs from the one before")
		}
		first = page
	}
	a, _, _ := testApp()
	walkCommands(newRootCmd(a), func(c *cobra.Command) {
		page, err := os.ReadFile(filepath.Join(dir, "man", dashed(c)+".1"))
		if err != nil {
			t.Error(err)
			return
		}
		if !bytes.HasPrefix(page, []byte(".nh\n.TH \""+strings.ToUpper(dashed(c))+"\" \"1\" \"\" ")) {
			t.Errorf("%s: title %q", c.CommandPath(), bytes.SplitN(page, []byte("\n"), 3)[1])
		}
		if c.HasAvailableLocalFlags() && !bytes.Contains(page, []byte(".SH OPTIONS\n")) {
			t.Errorf("%s: no options", c.CommandPath())
		}
		if !bytes.Contains(page, []byte(".SH EXIT STATUS\n")) {
			t.Errorf("%s: no exit status", c.CommandPath())
		}
	})
	for name, want := range map[string]string{"resnet.bash": "__start_resnet", "_resnet": "#compdef resnet", "resnet.fish": "complete -c resnet", "resnet.ps1": "Register-ArgumentCompleter -CommandName 'resnet'"} {
		b, err := os.ReadFile(filepath.Join(dir, "completion", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(b, []byte(want)) {
			t.Errorf("%s lacks %q", name, want)
		}
	}
}
