package report

import (
	"io"
	"path/filepath"

	"resnet/internal/atomicfile"
)

// folder is where a report and its figures go, each file complete or not at all.
type folder struct {
	fsys atomicfile.FS
	dir  string
}

func (f folder) write(name string, write func(io.Writer) error) error {
	return atomicfile.Write(f.fsys, filepath.Join(f.dir, name), "report", write)
}
