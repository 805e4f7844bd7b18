package weights_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"resnet/internal/graph/weights"
)

// Tensors are written as safetensors with metadata, and read by name.
func ExampleWrite() {
	dir, err := os.MkdirTemp("", "weights")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	var b bytes.Buffer
	list := []weights.Tensor{{Name: "fc.weight", Shape: []int{2, 3}, Data: []float32{1, 2, 3, 4, 5, 6}}}
	if err := weights.Write(&b, list, map[string]string{"made by": "an example"}); err != nil {
		fmt.Println(err)
		return
	}
	path := filepath.Join(dir, "a.safetensors")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		fmt.Println(err)
		return
	}

	f, err := weights.Open(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	for _, e := range f.Entries() {
		values, err := f.Float32(e.Name)
		fmt.Println(e.Name, e.Shape, values, err)
	}
	// Output: fc.weight [2 3] [1 2 3 4 5 6] <nil>
}
