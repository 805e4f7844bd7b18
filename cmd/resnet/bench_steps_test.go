package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestStepsIsANumberOrAList(t *testing.T) {
	for _, c := range []struct {
		args, out string
		status    int
	}{
		{"--steps 1", "(", 0},
		{"--steps=2", " in 2)", 0},
		{"--steps", "conv gradients", 0},
		{"--steps --json", `"kinds"`, 0},
		{"--steps 0", "a number of at least 1", 2},
		{"--steps=x", "a number of at least 1", 2},
		{"7", `unexpected argument "7"`, 2},
	} {
		var out, errw bytes.Buffer
		args := append([]string{"bench", "train", "--arch", "resnet20", "--batch", "1", "--threads", "1"}, strings.Fields(c.args)...)
		status := run(args, strings.NewReader(""), &out, &errw)
		if status != c.status || !strings.Contains(out.String()+errw.String(), c.out) {
			t.Errorf("%s: status %d, want %d; no %q in\n%s%s", c.args, status, c.status, c.out, out.String(), errw.String())
		}
	}
	for value, want := range map[string]int{"": defaultSteps, listSteps: defaultSteps, "3": 3} {
		var n int
		if list, err := parseSteps(value, &n); err != nil || n != want || list != (value == listSteps) {
			t.Errorf("%q: %d, %v, %v", value, n, list, err)
		}
	}
}
