package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"resnet/internal/atomicfile/atomicfiletest"
)

// TestATrainingIsDurableOnTheRealDisk traces the program while it trains in a folder that has to be
// made: every file and folder that it leaves is on the disk, with its name.
func TestATrainingIsDurableOnTheRealDisk(t *testing.T) {
	resnet, err := exec.LookPath("resnet") // which testscript.Main has put there
	if err != nil {
		t.Fatal(err)
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	calls := atomicfiletest.TraceCommand(t, []string{
		resnet, "train", "--config", "quickstart", "--set", "model.depth=8", "--set", "data.downsample=4",
		"--set", "data.limit=8", "--set", "train.batch=4", "--set", "train.epochs=2", "--set", "train.checkpoint.every=2", "--set", "train.checkpoint.keep=0",
		"--set", "train.schedule.drop.at_epochs=1", "--set", "eval.batch=250", "--run", filepath.Join(dir, "new", "run"),
	}, append(os.Environ(), "HOME="+dir))
	names := atomicfiletest.RequireDurable(t, calls, dir)
	for _, want := range []string{"config.yaml", "env.json", "checkpoints/step-000002.json", "checkpoints/step-000004.json", "report.html", "curves.svg"} {
		if !slices.Contains(names, filepath.Join("new", "run", want)) {
			t.Errorf("no %s among %q", want, names)
		}
	}
}
