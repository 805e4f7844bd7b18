package datasets

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// folderSize is the side of the images when Config.Size is 0: the paper's ImageNet input.
const folderSize = 224

// folder is a source of image files, sorted by class:
//
//	DIR/train/CLASS/*.png|jpg|jpeg     training
//	DIR/test/CLASS/…                   test
//	DIR/val/CLASS/…                    test where there is no test/ (as in ImageNet), else validation
//	DIR/classes.txt                    optional: the class folders in label order, one a line, what follows a tab ignored
//
// Without classes.txt the labels follow the sorted names of the class folders. Other files are ignored, and so are names
// that start with a point. Images are decoded when they are asked for.
type folder struct {
	dir        string
	names      []string
	size       int // as delivered
	downsample int
	splits     map[Split][]imageFile
}

// imageFile is a path below the folder, and a label.
type imageFile struct {
	path  string
	label int
}

func openFolder(ctx context.Context, c Config) (source, error) {
	if c.Dir == "" {
		return nil, faultf(ErrConfig, "folder: set data.dir to the folder that holds train/CLASS/*.png and test/CLASS/*.png")
	}
	dir, err := resolveDir(c.Name, c.Dir)
	if err != nil {
		return nil, err
	}
	f := &folder{dir: dir, size: c.Size, downsample: max(c.Downsample, 1), splits: map[Split][]imageFile{}}
	if f.size == 0 {
		f.size = folderSize
	}
	if f.size%f.downsample != 0 {
		return nil, faultf(ErrConfig, "folder: data.downsample is %d, which does not divide data.size %d", f.downsample, f.size)
	}
	parts, err := f.parts()
	if err != nil {
		return nil, err
	}
	if f.names, err = f.classNames(parts); err != nil {
		return nil, err
	}
	for _, s := range []Split{Train, Val, Test} {
		if part, ok := parts[s]; ok {
			if f.splits[s], err = f.list(part); err != nil {
				return nil, err
			}
		}
	}
	return f, f.checkHeaders(ctx)
}

// parts maps each split to its folder's name.
func (f *folder) parts() (map[Split]string, error) {
	has := func(name string) bool {
		st, err := os.Stat(filepath.Join(f.dir, name))
		return err == nil && st.IsDir()
	}
	parts := map[Split]string{}
	if has("train") {
		parts[Train] = "train"
	}
	switch {
	case has("test"):
		parts[Test] = "test"
		if has("val") {
			parts[Val] = "val"
		}
	case has("val"):
		parts[Test] = "val"
	}
	if len(parts) == 0 {
		return nil, faultf(ErrMissing, "folder: %s holds no train/, val/ or test/ with a folder for each class in it", f.dir)
	}
	return parts, nil
}

// classNames reads classes.txt, or takes the class folders of train/, or else of all parts.
func (f *folder) classNames(parts map[Split]string) ([]string, error) {
	var names []string
	path := filepath.Join(f.dir, "classes.txt")
	if text, err := os.ReadFile(path); err == nil {
		for line := range strings.Lines(string(text)) {
			name, _, _ := strings.Cut(strings.TrimRight(line, "\r\n"), "\t")
			if name == "" || slices.Contains(names, name) {
				return nil, faultf(ErrData, "folder: %s: line %d: class %q is empty or repeated", path, len(names)+1, name)
			}
			names = append(names, name)
		}
	} else {
		wanted := parts
		if train, ok := parts[Train]; ok {
			wanted = map[Split]string{Train: train}
		}
		for _, part := range wanted {
			found, err := subfolders(filepath.Join(f.dir, part))
			if err != nil {
				return nil, err
			}
			names = append(names, found...)
		}
		slices.Sort(names)
		names = slices.Compact(names)
	}
	if len(names) == 0 {
		return nil, faultf(ErrMissing, "folder: %s holds no class folders", f.dir)
	}
	return names, nil
}

func subfolders(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("folder: %w", err)
	}
	var names []string
	for _, e := range entries {
		if isDir(dir, e) && !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// isDir follows links: ImageNet folders are often links to another disk.
func isDir(dir string, e os.DirEntry) bool {
	if e.Type()&os.ModeSymlink == 0 {
		return e.IsDir()
	}
	st, err := os.Stat(filepath.Join(dir, e.Name()))
	return err == nil && st.IsDir()
}

// list gathers the image files of one part, by class and name.
func (f *folder) list(part string) ([]imageFile, error) {
	found, err := subfolders(filepath.Join(f.dir, part))
	if err != nil {
		return nil, err
	}
	var files []imageFile
	for _, class := range found {
		label := slices.Index(f.names, class)
		if label < 0 {
			return nil, faultf(ErrData, "folder: %s: class %q is not one of the training set's", filepath.Join(f.dir, part), class)
		}
		entries, err := os.ReadDir(filepath.Join(f.dir, part, class))
		if err != nil {
			return nil, fmt.Errorf("folder: %w", err)
		}
		before := len(files)
		for _, e := range entries {
			ext := strings.ToLower(filepath.Ext(e.Name()))
			if (ext == ".png" || ext == ".jpg" || ext == ".jpeg") && !strings.HasPrefix(e.Name(), ".") {
				files = append(files, imageFile{filepath.Join(part, class, e.Name()), label})
			}
		}
		if len(files) == before {
			return nil, faultf(ErrMissing, "folder: %s holds no .png, .jpg or .jpeg", filepath.Join(f.dir, part, class))
		}
	}
	slices.SortStableFunc(files, func(a, b imageFile) int { return a.label - b.label })
	return files, nil
}

// checkHeaders reads every file's header, several at a time, and reports the first bad one in the order of the splits.
func (f *folder) checkHeaders(ctx context.Context) error {
	for _, s := range []Split{Train, Val, Test} {
		files := f.splits[s]
		errs := make([]error, len(files))
		var next atomic.Int64
		var wg sync.WaitGroup
		for range min(runtime.GOMAXPROCS(0), len(files)) {
			wg.Go(func() {
				for i := int(next.Add(1)) - 1; i < len(files) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
					errs[i] = checkHeader(filepath.Join(f.dir, files[i].path))
				}
			})
		}
		wg.Wait()
		if err := ctx.Err(); err != nil {
			return err
		}
		for _, err := range errs {
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func checkHeader(path string) error {
	// Stat first: opening a named pipe would wait for its writer.
	if st, err := os.Stat(path); err == nil && !st.Mode().IsRegular() {
		return faultf(ErrData, "folder: %s: not a regular file", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return openFault("folder: "+path, err, "a link that leads nowhere?")
	}
	defer file.Close()
	if err := checkImage(file); err != nil {
		return fmt.Errorf("folder: %s: %w", path, err)
	}
	return nil
}

func (f *folder) classes() []string        { return f.names }
func (f *folder) count(s Split) int        { return len(f.splits[s]) }
func (f *folder) label(s Split, i int) int { return f.splits[s][i].label }
func (f *folder) id(s Split, i int) string { return filepath.ToSlash(f.splits[s][i].path) }

func (f *folder) shape() (channels, height, width int) {
	return 3, f.size / f.downsample, f.size / f.downsample
}

func (f *folder) image(s Split, i int, dst []byte) error {
	path := filepath.Join(f.dir, f.splits[s][i].path)
	if f.downsample == 1 {
		return DecodeFile(path, f.size, dst)
	}
	full := make([]byte, 3*f.size*f.size)
	if err := DecodeFile(path, f.size, full); err != nil {
		return err
	}
	average(dst, full, 3, f.size, f.size, f.downsample)
	return nil
}

func (f *folder) picture(s Split, i int) (Picture, error) {
	path := filepath.Join(f.dir, f.splits[s][i].path)
	file, err := os.Open(path)
	if err != nil {
		return Picture{}, openFault(path, err, "has it been moved?")
	}
	defer file.Close()
	return DecodePicture(file, path)
}
