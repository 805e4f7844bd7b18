package graph_test

import (
	"io"
	"log"
	"testing"
)

// silence discards what Gorgonia logs before it panics.
func silence(t *testing.T) {
	old := log.Writer()
	log.SetOutput(io.Discard)
	t.Cleanup(func() { log.SetOutput(old) })
}
