package audio

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// TestBytesAreCountedOverAllReads: what a FLAC file may hold grows with what has been read of it.
func TestBytesAreCountedOverAllReads(t *testing.T) {
	c := &countingReader{r: iotest.OneByteReader(strings.NewReader(strings.Repeat("x", 1000)))}
	if _, err := io.Copy(io.Discard, c); err != nil || c.n != 1000 {
		t.Errorf("%d bytes (%v)", c.n, err)
	}
}
