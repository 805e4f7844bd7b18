package main

import (
	"strings"

	"github.com/spf13/cobra"

	"resnet/internal/experiment"
	"resnet/internal/graph"
)

// precisionName is the value of a flag that is the name of a precision, or "" where it is not
// given.
type precisionName string

// precisionFlag adds --precision; otherwise says what holds where it is not given.
func precisionFlag(c *cobra.Command, to *string, otherwise string) {
	c.Flags().Var((*precisionName)(to), "precision", strings.Join(graph.Precisions(), " or ")+": of activations and of what convolutions multiply ("+otherwise+")")
	_ = c.RegisterFlagCompletionFunc("precision", cobra.FixedCompletions(graph.Precisions(), cobra.ShellCompDirectiveNoFileComp))
}

// What holds without --precision.
const (
	precisionOfConfig     = "default train.precision of the configuration"
	precisionOfCheckpoint = "default that of the training"
	precisionOfBench      = "default float32"
)

// Set implements pflag.Value.
func (p *precisionName) Set(s string) error {
	parsed, err := experiment.ParsePrecision(s)
	*p = precisionName(parsed.String())
	return err
}

// Type implements pflag.Value: help texts show it.
func (*precisionName) Type() string { return "string" }

// String implements pflag.Value.
func (p *precisionName) String() string { return string(*p) }

// lower is the end of a phrase for people, ", bfloat16"; of float32 it is "".
func lower(p graph.Precision) string {
	if p == graph.Float32 {
		return ""
	}
	return ", " + p.String()
}
