package weights

import (
	"io"
	"path/filepath"
	"testing"

	"resnet/internal/atomicfile"
	"resnet/internal/atomicfile/atomicfiletest"
)

func TestTensorsAreWrittenWholeOrNotAtAll(t *testing.T) {
	atomicfiletest.Run(t, atomicfiletest.Writer{Files: []string{"x.safetensors"}, Write: func(fsys atomicfile.FS, dir string, version int) error {
		list := []Tensor{{Name: "fc.weight", Shape: []int{50_000}, Data: make([]float32, 50_000)}, {Name: "fc.bias", Shape: []int{1}, Data: []float32{float32(version)}}}
		list[0].Data[7] = float32(version)
		return atomicfile.Write(fsys, filepath.Join(dir, "x.safetensors"), "weights", func(w io.Writer) error { return Write(w, list, nil) })
	}})
}
