package report

import (
	"errors"
	"io"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"resnet/internal/atomicfile"
	"resnet/internal/atomicfile/atomicfiletest"
)

func TestAFileOfAReportIsCompleteOrAbsent(t *testing.T) {
	atomicfiletest.Run(t, atomicfiletest.Writer{Files: []string{ReportFile}, Write: func(fsys atomicfile.FS, dir string, version int) error {
		return folder{fsys, dir}.write(ReportFile, func(w io.Writer) error {
			_, err := io.WriteString(w, strings.Repeat("<p>", 100*version))
			return err
		})
	}})
}

// TestEveryFileOfAReportIsWrittenSo fails one file after another. That takes a drawing each time.
func TestEveryFileOfAReportIsWrittenSo(t *testing.T) {
	r, _ := testReport(t)
	for name, write := range map[string]func(f folder) error{
		"report": func(f folder) error { return f.report(r) },
		"comparison": func(f folder) error {
			_, err := f.comparison(NewComparison("title", "command", fixedRuns()[:2]))
			return err
		},
	} {
		d := atomicfiletest.NewDisk()
		if err := write(folder{d, "/x"}); !errors.Is(err, atomicfile.ErrIO) || !strings.Contains(err.Error(), "/x/") {
			t.Errorf("%s into a folder that is not there: %v", name, err)
		}
		if err := d.MkdirAll("/x", atomicfile.DirPerm); err != nil {
			t.Fatal(err)
		}
		if err := write(folder{d, "/x"}); err != nil {
			t.Fatal(err)
		}
		files := d.Files
		if len(files) < 3 || len(d.Temps()) > 0 {
			t.Errorf("%s: only %d files, or some are temporary", name, len(files))
		}
		for path := range files {
			if name == "comparison" && filepath.Ext(path) != ".html" {
				// They take a second to draw, and the report's are written by the same call.
				continue
			}
			d := atomicfiletest.NewDisk()
			if err := d.MkdirAll("/x", atomicfile.DirPerm); err != nil {
				t.Fatal(err)
			}
			d.Op = func(kind, at string) error {
				if kind == "rename" && at == path {
					return syscall.EIO
				}
				return nil
			}
			if err := write(folder{d, "/x"}); !errors.Is(err, atomicfile.ErrIO) || !errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), path) {
				t.Errorf("%s: %s could not be written: %v", name, path, err)
			}
			if len(d.Temps()) > 0 || d.Files[path] != nil {
				t.Errorf("%s: left %v", name, d.Temps())
			}
			for p, f := range d.Files {
				if len(f.Data) != len(files[p].Data) {
					t.Errorf("%s: %s has %d bytes, want %d", name, p, len(f.Data), len(files[p].Data))
				}
			}
		}
	}
}
