package experiment

import (
	"os"
	"strings"

	"resnet/internal/config"
	"resnet/internal/datasets"
)

// expand puts the home folder for a ~ at the beginning of a path, and the values of variables for
// $NAME and ${NAME}, which no shell has seen in a configuration. What is there under the name as it
// stands is left alone.
func (e *Environment) expand(path *string) error {
	p := *path
	if !strings.HasPrefix(p, "~") && !strings.Contains(p, "$") {
		return nil
	}
	if _, err := os.Lstat(p); err == nil {
		return nil
	}
	if p == "~" || strings.HasPrefix(p, "~/") || strings.HasPrefix(p, `~\`) {
		p = "$HOME" + p[1:]
	}
	unset := ""
	p = os.Expand(p, func(name string) string {
		value, ok := "", false
		if e.Variable != nil {
			value, ok = e.Variable(name)
		}
		if !ok && name == "HOME" {
			home, err := os.UserHomeDir() // Windows calls it otherwise
			value, ok = home, err == nil
		}
		if !ok && unset == "" {
			unset = name
		}
		return value
	})
	if unset != "" {
		return config.Usagef("%s: the environment has no %s", *path, unset)
	}
	*path = p
	return nil
}

// labelsTable makes the path of data.labels absolute where the file is there: otherwise it may be
// one in data.dir.
func (e *Environment) labelsTable(c *datasets.Config) error {
	if c.Labels == "" {
		return nil
	}
	if err := e.expand(&c.Labels); err != nil {
		return err
	}
	if _, err := os.Stat(c.Labels); err != nil {
		return nil //nolint:nilerr // opening the data says more
	}
	return e.absolute(&c.Labels)
}
