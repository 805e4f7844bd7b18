package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// fullDisk is standard output on a full disk.
type fullDisk struct{ err error }

func (f fullDisk) Write([]byte) (int, error) {
	return 0, &os.PathError{Op: "write", Path: "/dev/stdout", Err: f.err}
}

// TestAResultThatIsLostIsAnError has commands that take little time; all of them write through the
// same writer.
func TestAResultThatIsLostIsAnError(t *testing.T) {
	fixtures, err := filepath.Abs("../../testdata")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	tiny := `model: {family: cifar, depth: 8, residual: true}
data: {name: fashion-sample, downsample: 4, limit: 16, augment: {pad: 1}}
train: {batch: 8, epochs: 1, schedule: {rate: 0.05}}
eval: {every_epochs: 1, batch: 250}
`
	if err := os.WriteFile("tiny.yaml", []byte(tiny), 0o644); err != nil {
		t.Fatal(err)
	}
	if status := run([]string{"train", "--config", "tiny.yaml", "--run", "done"}, nil, &bytes.Buffer{}, &bytes.Buffer{}); status != exitOK {
		t.Fatalf("status %d", status)
	}
	for _, line := range []string{
		"train --config tiny.yaml --run again --json", "train --resume done --json", "train --resume done", "train --config tiny.yaml --dry-run",
		"eval done --limit 9 --json", "eval done --limit 9", "predict done --json " + filepath.Join(fixtures, "images", "grey.jpg"),
		"compare runs done --json", "compare runs done", "compare depth --config tiny.yaml --depths 8 --json",
		"models list --json", "models list", "models show resnet20 --json", "config list", "config show --config tiny.yaml", "config validate tiny.yaml --json",
		"data list --json", "data info fashion-sample --json", "version --json", "version", "help",
	} {
		var said bytes.Buffer
		if status := run(strings.Fields(line), nil, fullDisk{syscall.ENOSPC}, &said); status != exitIO || !strings.Contains(said.String(), "no space left") {
			t.Errorf("%s on a full disk: status %d\n%s", line, status, &said)
		}
	}
	// A reader that has enough is no failure.
	if status := run([]string{"train", "--config", "tiny.yaml", "--run", "piped"}, nil, fullDisk{syscall.EPIPE}, &bytes.Buffer{}); status != exitOK {
		t.Errorf("a closed pipe: status %d", status)
	}
}
