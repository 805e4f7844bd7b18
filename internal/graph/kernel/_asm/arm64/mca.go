package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// processors are llvm-mca's models; pipes is how many multiply-adds of four floats the model starts
// in a cycle, and dispatch how many instructions the processor's front end gives it, where the
// model's own number is that of all its queues together.
var processors = []struct {
	name, cpu       string
	pipes, dispatch int
}{
	{"Apple M1", "apple-m1", 3, 6},
	{"Neoverse N1", "neoverse-n1", 2, 4},
	{"Neoverse V1", "neoverse-v1", 4, 8},
	{"Neoverse V2", "neoverse-v2", 4, 8},
}

// innerLoops are the loops in which the time of a training goes, by kernel and label.
var innerLoops = []struct{ kernel, label, what string }{
	{"peak", "loop", "the pipes alone: chains in registers"},
	{"tile6x1", "four", "direct tiles and Winograd's products, 6 pixels, 4 input channels a round"},
	{"tile5x1", "four", "5 pixels"},
	{"tile4x1", "four", "4 pixels"},
	{"tile3x1", "four", "3 pixels"},
	{"tile2x1", "four", "2 pixels"},
	{"tile1x1", "four", "1 pixel"},
	{"tile6x1", "one", "6 pixels, one input channel a round: first convolutions"},
	{"gradTile6x1", "pixel", "weight gradients, 6 of 16 input channels"},
	{"gradTile5x1", "pixel", "weight gradients, 5 of 16 input channels"},
	{"gradTaps2", "pixel", "weight gradients of three channels, two taps"},
	{"dotTile6x4", "step", "fully connected layers, 6 images and 4 outputs"},
	{"rowTile6", "inner", "their gradients, 6 rows"},
	{"group4x8", "tap", "convolutions in groups of 4 channels; exchanges take the same pipes"},
	{"group8x8", "tap", "in groups of 8"},
}

// rounds of a loop that llvm-mca simulates; the start and the end are spread over them.
const rounds = 500

var cycles = regexp.MustCompile(`Total Cycles: +(\d+)`)

// simulate is how many cycles a round takes.
func simulate(mca, cpu string, dispatch int, loop string) (float64, error) {
	c := exec.Command(mca, "-mtriple=aarch64", "-mcpu="+cpu, fmt.Sprintf("-dispatch=%d", dispatch), fmt.Sprintf("-iterations=%d", rounds), "-instruction-info=0", "-resource-pressure=0")
	c.Stdin = strings.NewReader(loop)
	var trouble strings.Builder
	c.Stderr = &trouble
	out, err := c.Output()
	if err != nil {
		return 0, fmt.Errorf("%s: %w\n%s", mca, err, trouble.String())
	}
	m := cycles.FindSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("%s printed no cycles:\n%s", mca, out)
	}
	n, err := strconv.Atoi(string(m[1]))
	return float64(n) / rounds, err
}

// report simulates every inner loop on every processor.
func report(mca string) (string, error) {
	var b strings.Builder
	b.WriteString("| loop | multiply-adds | instructions |")
	for _, p := range processors {
		fmt.Fprintf(&b, " %s |", p.name)
	}
	b.WriteString("\n|---|---|---|" + strings.Repeat("---|", len(processors)) + "\n")
	for _, l := range innerLoops {
		text := find(l.kernel).loop(l.label)
		if text == "" {
			return "", fmt.Errorf("%s has no loop %s", l.kernel, l.label)
		}
		fmas := strings.Count(text, "\tfmla ")
		fmt.Fprintf(&b, "| `%s`, `%s`: %s | %d | %d |", l.kernel, l.label, l.what, fmas, strings.Count(text, "\t"))
		for _, p := range processors {
			n, err := simulate(mca, p.cpu, p.dispatch, text)
			if err != nil {
				return "", err
			}
			fmt.Fprintf(&b, " %.1f, %.0f %% |", n, 100*float64(fmas)/n/float64(p.pipes))
		}
		b.WriteString("\n")
	}
	return b.String(), nil
}

// writeReport puts the report in the place of the table of a file.
func writeReport(mca, name string) error {
	table, err := report(mca)
	if err != nil {
		return err
	}
	old, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	var before, after strings.Builder
	part, was := &before, false
	for line := range strings.Lines(string(old)) {
		if strings.HasPrefix(line, "| loop ") {
			was = true
		}
		if was && part == &before && !strings.HasPrefix(line, "|") {
			part = &after
		}
		if !was || part == &after {
			part.WriteString(line)
		}
	}
	if !was {
		return fmt.Errorf("%s has no table that begins with | loop", name)
	}
	return os.WriteFile(name, []byte(before.String()+table+after.String()), 0o644)
}

// find is a kernel by the name that it has without its instruction set.
func find(name string) *function {
	for _, f := range kernels {
		if f.name == name+"NEON" {
			return f
		}
	}
	return &function{}
}
