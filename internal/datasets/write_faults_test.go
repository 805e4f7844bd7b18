package datasets

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"resnet/internal/atomicfile"
	"resnet/internal/atomicfile/atomicfiletest"
)

func TestAnIndexIsCompleteOrAbsent(t *testing.T) {
	atomicfiletest.Run(t, atomicfiletest.Writer{Files: []string{"x.tar.index"}, Write: func(fsys atomicfile.FS, dir string, version int) error {
		return saveIndex(fsys, filepath.Join(dir, "x.tar.index"), indexHead{Bytes: 4096}, []tarMember{{"a.JPEG", 512, int64(version)}})
	}})
}

// TestADownloadIsCompleteOrAbsentAndGoesOn: what has arrived stays in NAME.part, and the next
// attempt makes the file of it.
func TestADownloadIsCompleteOrAbsentAndGoesOn(t *testing.T) {
	content := randomBytes(20_000)
	m := newMirror(t, content, `"a"`, nil)
	o := quick(m)
	atomicfiletest.Run(t, atomicfiletest.Writer{Files: []string{"file"}, OnOS: true, Write: func(fsys atomicfile.FS, dir string, version int) error {
		if version == 1 {
			return atomicfile.WriteFile(atomicfile.OS, filepath.Join(dir, "file"), "test", []byte("of another release"))
		}
		o.fs = fsys
		return download(t.Context(), m.URL+"/", file(content), dir, o)
	}})
}

// TestADownloadThroughALinkReplacesWhatItLeadsTo also looks at where the part is.
func TestADownloadThroughALinkReplacesWhatItLeadsTo(t *testing.T) {
	content := randomBytes(1000)
	m := newMirror(t, content, `"a"`, nil)
	dir, far := t.TempDir(), t.TempDir()
	if err := os.Symlink(filepath.Join(far, "file"), filepath.Join(dir, "file")); err != nil {
		t.Skip(err)
	}
	if err := download(t.Context(), m.URL+"/", file(content), dir, quick(m)); err != nil {
		t.Fatal(err)
	}
	wantFile(t, far, content)
	if info, err := os.Lstat(filepath.Join(dir, "file")); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link: %v, %v", info, err)
	}
}

func TestAPackIsCompleteOrNone(t *testing.T) {
	photos := t.TempDir()
	for _, name := range []string{"train/a/0.png", "train/b/1.png", "test/a/2.png"} {
		var b bytes.Buffer
		if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 3, 3))); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(photos, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(photos, name), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	d, err := Open(t.Context(), Config{Name: "folder", Dir: photos}, 1)
	if err != nil {
		t.Fatal(err)
	}
	files := []string{"train.data", "train.index", "test.data", "test.index", packManifest}
	atomicfiletest.Run(t, atomicfiletest.Writer{
		Files: files, New: true,
		Write: func(fsys atomicfile.FS, dir string, _ int) error {
			if _, err := atomicfile.ReadFile(fsys, filepath.Join(dir, packManifest)); err == nil {
				return nil // the pack is there
			}
			_, err := Pack(t.Context(), d, PackOptions{Dir: dir, Shorter: 2, Quality: 90, fs: fsys})
			return err
		},
		Fits: func(now, _, _ map[string]string) bool { return now[packManifest] == "" || len(now) == len(files) },
	})
}
