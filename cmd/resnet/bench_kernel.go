package main

import "github.com/spf13/cobra"

// kernelBenches are the measurements below whole networks.
func kernelBenches(*app) []*cobra.Command { return nil }

// peakGFLOPS is what the multiply-add units of so many threads can do, or 0 where that is not measured.
func peakGFLOPS(int) float64 { return 0 }
