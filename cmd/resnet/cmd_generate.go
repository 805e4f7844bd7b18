package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"resnet/internal/atomicfile"
	"resnet/internal/config"
	"resnet/internal/experiment"
)

// generateOptions are the folders of generate; an empty one is not written.
type generateOptions struct{ man, completion, reference string }

func newGenerateCmd(a *app) *cobra.Command {
	o := &generateOptions{}
	c := &cobra.Command{
		Use: "generate", Short: "Write man pages, completions and the reference of commands and keys",
		Long: "Writes what is made from the commands themselves, into folders that it makes: a man page of each\ncommand, " +
			"completions of bash, zsh, fish and PowerShell, and commands.md and configuration.md." + exitHelp(help74),
		Example: "  resnet generate --man ~/.local/share/man/man1\n  resnet generate --completion completions",
		Args:    exactArgs(),
		RunE: func(c *cobra.Command, _ []string) error {
			if *o == (generateOptions{}) {
				return usageErrorf("generate: give --man, --completion or --reference, each with a folder")
			}
			return runGenerate(a, c.Root(), o)
		},
	}
	c.Flags().StringVar(&o.man, "man", "", "`FOLDER` for the man pages")
	c.Flags().StringVar(&o.completion, "completion", "", "`FOLDER` for the completions")
	c.Flags().StringVar(&o.reference, "reference", "", "`FOLDER` for commands.md and configuration.md")
	return c
}

func runGenerate(a *app, root *cobra.Command, o *generateOptions) error {
	for _, g := range []struct {
		folder string
		files  func(*cobra.Command) (map[string][]byte, error)
	}{{o.man, manPages}, {o.completion, completions}, {o.reference, reference}} {
		if g.folder == "" {
			continue
		}
		files, err := g.files(root)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(g.folder, 0o755); err != nil {
			return &experiment.IOError{Err: err}
		}
		for _, name := range slices.Sorted(maps.Keys(files)) {
			if err := atomicfile.WriteFile(atomicfile.OS, filepath.Join(g.folder, name), "generate", files[name]); err != nil {
				return err
			}
		}
		a.say("%s: %d files", g.folder, len(files))
	}
	return nil
}

// documented calls do for every command that a user sees, the root first.
func documented(root *cobra.Command, do func(*cobra.Command) error) error {
	root.InitDefaultHelpFlag() // cobra adds --help when a command runs
	if err := do(root); err != nil {
		return err
	}
	for _, sub := range root.Commands() {
		if !sub.IsAvailableCommand() || sub.Name() == "completion" || sub.Name() == "help" {
			continue
		}
		if err := documented(sub, do); err != nil {
			return err
		}
	}
	return nil
}

// manPages returns resnet-train.1 and so on. They bear no date, so that the same commands give the
// same bytes: SOURCE_DATE_EPOCH is not needed.
func manPages(root *cobra.Command) (map[string][]byte, error) {
	files := map[string][]byte{}
	header := doc.GenManHeader{Title: "RESNET", Section: "1", Source: "resnet", Manual: "resnet", Date: &time.Time{}}
	return files, documented(root, func(c *cobra.Command) error {
		c.DisableAutoGenTag = true
		h := header
		h.Title = strings.ToUpper(dashed(c))
		var page bytes.Buffer
		if err := doc.GenMan(plain(c), &h, &page); err != nil {
			return fmt.Errorf("generate: the man page of %s: %w", c.CommandPath(), err)
		}
		files[dashed(c)+".1"] = bytes.ReplaceAll(page.Bytes(), []byte(`"Jan 0001"`), []byte(`""`))
		return nil
	})
}

// plain is a command with its help as roff takes it: exit statuses keep their lines.
func plain(c *cobra.Command) *cobra.Command {
	long, exit, found := strings.Cut(c.Long, exitHeading)
	if found {
		long += "\n\n# EXIT STATUS\n```\n" + strings.TrimRight(exit, "\n") + "\n```\n"
	}
	copied := *c
	copied.Long = long
	return &copied
}

func dashed(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

func completions(root *cobra.Command) (map[string][]byte, error) {
	files := map[string][]byte{}
	for name, write := range map[string]func(*bytes.Buffer) error{
		"resnet.bash": func(b *bytes.Buffer) error { return root.GenBashCompletionV2(b, true) },
		"_resnet":     func(b *bytes.Buffer) error { return root.GenZshCompletion(b) },
		"resnet.fish": func(b *bytes.Buffer) error { return root.GenFishCompletion(b, true) },
		"resnet.ps1":  func(b *bytes.Buffer) error { return root.GenPowerShellCompletionWithDesc(b) },
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			return nil, fmt.Errorf("generate: %s: %w", name, err)
		}
		files[name] = b.Bytes()
	}
	return files, nil
}

func reference(root *cobra.Command) (map[string][]byte, error) {
	commands, err := commandsReference(root)
	return map[string][]byte{"commands.md": commands, "configuration.md": configurationReference()}, err
}

// commandsReference is the help of every command, under headings.
func commandsReference(root *cobra.Command) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("# Commands\n\nMade by `resnet generate --reference` from the help texts of the program.\n")
	err := documented(root, func(c *cobra.Command) error {
		fmt.Fprintf(&b, "\n## %s\n\n```text\n", c.CommandPath())
		out := c.OutOrStdout()
		c.SetOut(&b)
		printHelp(c, nil)
		c.SetOut(out)
		b.WriteString("```\n")
		return nil
	})
	return b.Bytes(), err
}

// configurationReference is a table of the keys of each section.
func configurationReference() []byte {
	var b bytes.Buffer
	b.WriteString("# Configuration\n\nMade by `resnet generate --reference`. Every key can be set in the YAML file, by `--set key=value`\n" +
		"and by a variable: `train.batch` is `RESNET_TRAIN_BATCH`. `resnet config init` writes a file with all of them.\n")
	section := "\x00"
	for _, k := range config.Keys() {
		top, _, nested := strings.Cut(k.Path, ".")
		if !nested {
			top = ""
		}
		if top != section {
			section = top
			heading := "Top level"
			if top != "" {
				heading = "`" + top + "`"
			}
			fmt.Fprintf(&b, "\n## %s\n\n| key | value | default | meaning |\n|---|---|---|---|\n", heading)
		}
		value := k.Default
		if value != "" {
			value = "`" + value + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", k.Path, k.Kind, value, strings.ReplaceAll(k.Doc, "|", `\|`))
	}
	return b.Bytes()
}
