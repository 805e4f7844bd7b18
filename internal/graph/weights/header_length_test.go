package weights

import (
	"bytes"
	"strings"
	"testing"
)

// A header may have any length: none of them makes the file look like a pickle, whose first byte is
// 0x80.
func TestSafetensorsOfEveryHeaderLengthAreRead(t *testing.T) {
	lengths := map[byte]bool{}
	for pad := range 256 {
		var b bytes.Buffer
		list := []Tensor{{Name: "w", Shape: []int{2}, Data: []float32{1, -2}}}
		if err := Write(&b, list, map[string]string{"pad": strings.Repeat("x", pad)}); err != nil {
			t.Fatal(err)
		}
		lengths[b.Bytes()[0]] = true
		got, err := readTensors(bytes.NewReader(b.Bytes()), int64(b.Len()), "x")
		if err != nil || len(got) != 1 || got[0].Data[1] != -2 {
			t.Fatalf("a header of %d bytes: %v (%v)", b.Bytes()[0], got, err)
		}
	}
	if !lengths[0x80] {
		t.Error("no header of 128 bytes more than a multiple of 256")
	}
}
