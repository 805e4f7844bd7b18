//go:build unix

package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestAKilledComparisonEndsWithTheSamePoints kills a comparison of two runs with SIGKILL at random
// moments, gives the same command again until it ends, and compares points.csv with that of a
// comparison that was left alone.
func TestAKilledComparisonEndsWithTheSamePoints(t *testing.T) {
	dir := t.TempDir()
	start := func(out string) (*exec.Cmd, *bytes.Buffer) {
		var said bytes.Buffer
		c := exec.Command("resnet", "compare", "plain-vs-residual", "--config", "quickstart", "--depths", "8", "--out", out,
			"--set", "data.limit=512", "--set", "train.epochs=4", "--set", "train.schedule.drop.at_epochs=3")
		c.Dir, c.Stderr = dir, &said
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		return c, &said
	}
	begun := time.Now()
	whole, said := start("whole")
	if err := whole.Wait(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	took := time.Since(begun)
	want, err := os.ReadFile(filepath.Join(dir, "whole", "points.csv"))
	if err != nil {
		t.Fatal(err)
	}
	times := 5
	if testing.Short() {
		times = 2
	}
	for k := range times {
		out := filepath.Join(dir, "killed"+string(rune('0'+k)))
		kills := 0
		for range 3 {
			c, _ := start(out)
			time.Sleep(time.Duration(rand.Float64() * 0.9 * float64(took)))
			if c.Process.Kill() == nil {
				kills++
			}
			_ = c.Wait()
		}
		c, said := start(out)
		if err := c.Wait(); err != nil {
			t.Fatalf("after %d kills: %v: %s", kills, err, said)
		}
		got, err := os.ReadFile(filepath.Join(out, "points.csv"))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("after %d kills points.csv is\n%s\nand without\n%s", kills, got, want)
		}
	}
}
