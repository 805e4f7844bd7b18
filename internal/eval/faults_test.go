package eval

import (
	"path/filepath"
	"testing"

	"resnet/internal/atomicfile"
	"resnet/internal/atomicfile/atomicfiletest"
)

func TestPredictionsAreCompleteOrAbsent(t *testing.T) {
	for _, name := range []string{"p.jsonl", "p.csv"} {
		t.Run(name, func(t *testing.T) {
			atomicfiletest.Run(t, atomicfiletest.Writer{Files: []string{name}, Write: func(fsys atomicfile.FS, dir string, version int) error {
				p, err := createPredictions(fsys, filepath.Join(dir, name), nil, nil)
				if err != nil {
					return err
				}
				defer p.Discard()
				for i := range 300 * version {
					if err := p.Observe(Image{Index: i, Label: version, Logits: []float32{0.123456, -1.23456, 0.5}}); err != nil {
						return err
					}
				}
				return p.Close()
			}})
		})
	}
}
