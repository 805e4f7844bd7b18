package kaldi

import (
	"strings"

	"resnet/internal/datasets/fault"
)

// refusePipe refuses what Kaldi would run as a command or read from standard input, and says how to
// do without.
func refusePipe(name, what string) error {
	name = strings.TrimSpace(name)
	switch {
	case name == "-":
		return fault.Dataf("%s is standard input (-): write it to a file and name that", what)
	case strings.HasPrefix(name, "|"):
		return fault.Dataf("%s is a pipe (%s): commands in data are never run: name a file, and feed it to the command afterwards", what, name)
	case !strings.HasSuffix(name, "|"):
		return nil
	}
	command := strings.TrimSpace(strings.TrimRight(name, "| "))
	words := strings.Fields(command)
	if len(words) > 1 && (words[0] == "gunzip" || words[0] == "zcat" || words[0] == "gzip") {
		return fault.Dataf("%s is a pipe (%s): commands in data are never run: name %s itself, gzip is read as it is", what, name, words[len(words)-1])
	}
	return fault.Dataf("%s is a pipe (%s): commands in data are never run: run it once yourself, `%s > FILE`, and name FILE", what, name, command)
}
