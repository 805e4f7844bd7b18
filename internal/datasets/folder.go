package datasets

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"resnet/internal/input"
)

// imageSize is the side of the images when Config.Size is 0: the paper's ImageNet input.
const imageSize = 224

// wholeShorter is the shorter side before the central crop of a folder's image: the crop's own.
func wholeShorter(size int) int { return size }

// openFolder opens image files, sorted by class:
//
//	DIR/train/CLASS/*.png|jpg|jpeg     training
//	DIR/test/CLASS/…                   test
//	DIR/val/CLASS/…                    test, or validation where there is a test/
//	DIR/classes.txt                    optional: class folders in label order, as for ClassList
//
// Without classes.txt the labels follow the sorted names of the class folders. Other files are
// ignored, and so are names that start with a point. Images are decoded when they are asked for;
// their headers are checked here.
func openFolder(ctx context.Context, c Config) (source, error) {
	if c.Dir == "" {
		return nil, faultf(ErrConfig, "folder: set data.dir to the folder that holds train/CLASS/*.png and test/CLASS/*.png")
	}
	dir, err := resolveDir(c.Name, c.Dir)
	if err != nil {
		return nil, err
	}
	set, err := newPhotoSet(c, nil)
	if err != nil {
		return nil, err
	}
	parts, err := folderParts(dir)
	if err != nil {
		return nil, err
	}
	if set.names, err = folderClasses(dir, parts); err != nil {
		return nil, err
	}
	for s, part := range parts {
		list, err := listClasses("folder", dir, part, len(set.names), func(folder string) (int, error) {
			if k := slices.Index(set.names, folder); k >= 0 {
				return k, nil
			}
			return 0, faultf(ErrData, "folder: %s: class %q is not one of the training set's", filepath.Join(dir, part), folder)
		})
		if err != nil {
			return nil, err
		}
		set.splits[s] = list
	}
	if err := set.trainOn(c, dir); err != nil {
		return nil, err
	}
	return set, checkHeaders(ctx, set)
}

// folderParts maps each split to its folder's name.
func folderParts(dir string) (map[Split]string, error) {
	has := func(name string) bool { return folderThere(filepath.Join(dir, name)) }
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
		return nil, faultf(ErrMissing, "folder: %s holds no train/, val/ or test/ with a folder for each class in it", dir)
	}
	return parts, nil
}

// maxClassList is far above the size of a list of classes, in bytes.
const maxClassList = 16 << 20

// folderClasses reads classes.txt, or takes the class folders of train/, or else of all parts.
func folderClasses(dir string, parts map[Split]string) ([]string, error) {
	var names []string
	path := filepath.Join(dir, "classes.txt")
	if text, err := input.Read(path, maxClassList); err == nil {
		if names, err = parseClasses(path, text); err != nil {
			return nil, err
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, openFault("folder: "+path, err, "has it been moved?")
	} else {
		wanted := parts
		if train, ok := parts[Train]; ok {
			wanted = map[Split]string{Train: train}
		}
		for _, part := range wanted {
			found, err := subfolders("folder", filepath.Join(dir, part))
			if err != nil {
				return nil, err
			}
			names = append(names, found...)
		}
		slices.Sort(names)
		names = slices.Compact(names)
	}
	if len(names) == 0 {
		return nil, faultf(ErrMissing, "folder: %s holds no class folders", dir)
	}
	return names, nil
}

// parseClasses reads the text of classes.txt: ClassList without empty and repeated names.
func parseClasses(path string, text []byte) ([]string, error) {
	names := ClassList(string(text))
	seen := make(map[string]bool, len(names))
	for i, name := range names {
		if name == "" || seen[name] {
			return nil, faultf(ErrData, "folder: %s: line %d: class %q is empty or repeated", path, i+1, name)
		}
		seen[name] = true
	}
	return names, nil
}

// trainOn makes the test images the training images as well, where the configuration asks for it.
func (p *photoSet) trainOn(c Config, dir string) error {
	if c.TrainOn != TrainOnTest {
		return nil
	}
	if p.count(Train) > 0 {
		return faultf(ErrConfig, "%s: data.train_on is %s, and %s has training images of its own", c.Name, c.TrainOn, dir)
	}
	p.splits[Train] = p.split(Test)
	p.notes = append(p.notes, "the training images are the test images: the errors are those of a smoke test")
	return nil
}

// checkHeaders reads every file's header, several at a time, and reports the first bad one in the
// order of the splits.
func checkHeaders(ctx context.Context, p *photoSet) error {
	for _, s := range []Split{Train, Val, Test} {
		list := p.split(s)
		errs := make([]error, list.count())
		parallel(len(errs), func() func(i int) {
			return func(i int) {
				if ctx.Err() == nil {
					errs[i] = checkHeader(list.place(i))
				}
			}
		})
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
	file, err := input.Open(path)
	if err != nil {
		return openFault("folder: "+path, err, "a link that leads nowhere?")
	}
	defer file.Close()
	if err := checkImage(file); err != nil {
		return fmt.Errorf("folder: %s: %w", path, err)
	}
	return nil
}
