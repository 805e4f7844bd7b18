package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"resnet/configs"
	"resnet/internal/atomicfile"
	"resnet/internal/config"
	"resnet/internal/text"
)

// configFlags are --config and --set, which every command that takes an experiment shares.
type configFlags struct {
	file      string
	sets      []string
	precision string // of --precision, of commands that train
}

func (f *configFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&f.file, "config", f.file, "preset or YAML `FILE`; 'resnet config list' shows the presets")
	f.registerSets(c)
	_ = c.RegisterFlagCompletionFunc("config", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		files, _ := filepath.Glob("*.yaml")
		return append(configs.Names(), files...), cobra.ShellCompDirectiveDefault
	})
}

// registerSets adds --set alone.
func (f *configFlags) registerSets(c *cobra.Command) {
	c.Flags().StringArrayVar(&f.sets, "set", nil, "override a key, as in train.batch=64; may be repeated")
	_ = c.RegisterFlagCompletionFunc("set", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		var keys []string
		for _, k := range config.Keys() {
			keys = append(keys, k.Path+"=\t"+k.Doc)
		}
		return keys, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
	})
}

// input is what the command line and the environment say about the configuration.
func (f *configFlags) input(a *app) config.Input {
	sets := f.sets
	if f.precision != "" {
		sets = append(slices.Clone(sets), "train.precision="+f.precision)
	}
	return config.Input{File: f.file, Sets: sets, Env: a.env}
}

func newConfigCmd(a *app) *cobra.Command {
	return group("config", "Show, check and write configurations",
		"An experiment is a YAML file or an embedded preset. --set overrides RESNET_* variables (RESNET_TRAIN_BATCH=64),\nwhich override the file, which overrides the defaults."+exitHelp(),
		"  resnet config list\n  resnet config show --config cifar110 --origin\n  resnet config validate my.yaml\n  resnet config init --config cifar20 my.yaml",
		newConfigShowCmd(a), newConfigListCmd(a), newConfigValidateCmd(a), newConfigInitCmd(a), newConfigSchemaCmd(a))
}

func newConfigShowCmd(a *app) *cobra.Command {
	var flags configFlags
	var asJSON, origin bool
	c := &cobra.Command{
		Use: "show", Short: "Print the merged configuration, every default included",
		Long:    "Prints what a command would use: flags over RESNET_* variables over the file over the defaults." + exitHelp(),
		Example: "  resnet config show --config cifar110\n  resnet config show --config cifar20 --set train.batch=64 --origin",
		Args:    exactArgs(),
		RunE: func(*cobra.Command, []string) error {
			l, err := config.Load(flags.input(a))
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(showJSON(l, origin))
			}
			var comment func(string) string
			if origin {
				comment = l.Origin
			}
			_, err = a.out.Write(config.Encode(&l.Config, comment))
			return err
		},
	}
	flags.register(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().BoolVar(&origin, "origin", false, "say where each value comes from")
	return c
}

func showJSON(l *config.Loaded, withOrigin bool) any {
	values := config.Values(&l.Config)
	if !withOrigin {
		return values
	}
	return map[string]any{"config": values, "origins": l.Origins()}
}

func newConfigListCmd(a *app) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "list", Short: "List the embedded presets", Long: "Lists the presets that --config finds by name." + exitHelp(),
		Example: "  resnet config list\n  resnet config list --json", Args: exactArgs(),
		RunE: func(*cobra.Command, []string) error {
			type row struct {
				Name    string `json:"name"`
				Summary string `json:"summary"`
			}
			var rows []row
			for _, name := range configs.Names() {
				rows = append(rows, row{name, configs.Summary(name)})
			}
			if asJSON {
				return a.printJSON(map[string]any{"presets": rows})
			}
			tw := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
			for _, r := range rows {
				fmt.Fprintf(tw, "%s\t%s\n", r.Name, r.Summary)
			}
			return tw.Flush()
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func newConfigValidateCmd(a *app) *cobra.Command {
	var asJSON bool
	var sets []string
	c := &cobra.Command{
		Use: "validate FILE|PRESET...", Short: "Check configurations and report every mistake",
		Long:    "Reports every unknown key, wrong type and bad value with its line and column." + exitHelp(),
		Example: "  resnet config validate my.yaml\n  resnet config validate *.yaml --json",
		Args:    atLeastArgs(1, "FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			return runConfigValidate(a, args, sets, asJSON)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().StringArrayVar(&sets, "set", nil, "override a key, as in train.batch=64; may be repeated")
	return c
}

// validation is a row of `config validate --json`.
type validation struct {
	File     string            `json:"file"`
	Valid    bool              `json:"valid"`
	Problems []validationFault `json:"problems"`
}

type validationFault struct {
	Source  string `json:"source"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
}

func runConfigValidate(a *app, files, sets []string, asJSON bool) error {
	var all config.Error
	var rows []validation
	for _, file := range files {
		row := validation{File: file, Valid: true, Problems: []validationFault{}}
		l, err := config.Load(config.Input{File: file, Sets: sets, Env: a.env})
		var ce *config.Error
		switch {
		case errors.As(err, &ce):
			all.Problems = append(all.Problems, ce.Problems...)
			row.Valid = false
			for _, p := range ce.Problems {
				row.Problems = append(row.Problems, validationFault{p.Source, p.At.Line, p.At.Col, p.Msg})
			}
		case err != nil:
			return err
		case !asJSON:
			fmt.Fprintf(a.out, "%s: valid\n", text.Printable(l.Path))
		}
		rows = append(rows, row)
	}
	if asJSON {
		if err := a.printJSON(map[string]any{"files": rows}); err != nil {
			return err
		}
	}
	if len(all.Problems) > 0 {
		if asJSON {
			return &silentError{&all}
		}
		return &all
	}
	return nil
}

func newConfigInitCmd(a *app) *cobra.Command {
	var flags configFlags
	var force bool
	c := &cobra.Command{
		Use: "init [FILE]", Short: "Write a commented configuration to start from",
		Long:    "Writes every key with its value and what it means, to FILE or to standard output." + exitHelp(help74),
		Example: "  resnet config init my.yaml\n  resnet config init --config cifar110 my.yaml",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageErrorf("%s: unexpected argument %q", c.CommandPath(), args[1])
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			l, err := config.Load(flags.input(a))
			if err != nil {
				return err
			}
			data := config.Encode(&l.Config, config.Doc)
			if len(args) == 0 || args[0] == "-" {
				_, err := a.out.Write(data)
				return err
			}
			if err := writeNew(args[0], data, force); err != nil {
				return err
			}
			a.say("Wrote %s. Next: %s train --config %s --dry-run", args[0], a.self, text.ShellQuote(args[0]))
			return nil
		},
	}
	flags.register(c)
	c.Flags().BoolVar(&force, "force", false, "replace FILE if it exists")
	return c
}

// writeNew writes a file that does not exist yet, or any with force.
func writeNew(path string, data []byte, force bool) error {
	write := atomicfile.WriteNewFile
	if force {
		write = atomicfile.WriteFile
	}
	err := write(atomicfile.OS, path, "config", data)
	if errors.Is(err, fs.ErrExist) {
		return usageErrorf("%s exists; --force replaces it", path)
	}
	return err
}

func newConfigSchemaCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "schema", Short: "Print the JSON schema of a configuration, for editors",
		Long:    strings.TrimSpace(`Prints a JSON Schema (draft 2020-12). With it, editors complete and check keys: put`+"\n"+`# yaml-language-server: $schema=resnet.schema.json`+"\n"+`on the first line of a file.`) + exitHelp(),
		Example: "  resnet config schema > resnet.schema.json", Args: exactArgs(),
		RunE: func(*cobra.Command, []string) error { return a.printJSON(config.JSONSchema()) },
	}
}
