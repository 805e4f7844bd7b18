package fault_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"resnet/internal/datasets/fault"
)

// TestAFileThatCannotBeThereIsAbsent: the remedy is the same as for one that is not there.
func TestAFileThatCannotBeThereIsAbsent(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file + ".none", filepath.Join(file, "below"), strings.Repeat("x", 5000)} {
		_, err := os.Open(path)
		if err = fault.Opening("it", err, "look there"); !errors.Is(err, fault.ErrMissing) || !strings.HasSuffix(err.Error(), "; look there") {
			t.Errorf("%.40q: %v", path, err)
		}
	}
	if err := fault.Opening("it", fs.ErrPermission, "look there"); errors.Is(err, fault.ErrMissing) {
		t.Errorf("%v is taken for absence", err)
	}
}
