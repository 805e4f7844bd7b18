package datasets

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"resnet/internal/input"
)

// The archives of ILSVRC-2012 (task 1 and 2) as image-net.org names them.
const (
	trainArchive = "ILSVRC2012_img_train.tar"
	valArchive   = "ILSVRC2012_img_val.tar"

	officialTrain, officialVal = 1_281_167, 50_000
)

// imagenetNormalizer has the means and deviations that torchvision prints for its models.
var imagenetNormalizer = Normalizer{Kind: ChannelMeanStd, Mean: []float32{0.485, 0.456, 0.406}, Std: []float32{0.229, 0.224, 0.225}}

// ImageNetNormalizer is the one of torchvision's networks and most others of ImageNet.
func ImageNetNormalizer() Normalizer { return imagenetNormalizer.clone() }

// openImageNet opens ILSVRC-2012 in its usual forms:
//
//	training    DIR/train/WNID/*.JPEG, DIR/train/WNID.tar or ILSVRC2012_img_train.tar
//	validation  DIR/val/WNID/*.JPEG, or val.tar with WNID/*.JPEG inside;
//	            DIR/val/*.JPEG or ILSVRC2012_img_val.tar, with labels (see findLabels);
//	            DIR/RANK/*, folders named 0 to 999 (ImageNetV2)
//
// Archives are read in place. DIR is data.dir, or ILSVRC/Data/CLS-LOC in it (Kaggle's layout). The
// validation images are the test split, as the paper's tables have it. The index of a class is the
// rank of its WordNet ID among the 1000, whatever classes are there.
func openImageNet(ctx context.Context, c Config) (source, error) {
	dir, err := resolveDir(c.Name, c.Dir)
	if err != nil {
		return nil, err
	}
	set, err := newPhotoSet(c, ClassNames("imagenet"))
	if err != nil {
		return nil, err
	}
	set.meanImages, set.fixed = sampleImages, &imagenetNormalizer
	base := dir
	for _, sub := range []string{"ILSVRC/Data/CLS-LOC", "Data/CLS-LOC"} {
		if d := filepath.Join(dir, filepath.FromSlash(sub)); folderThere(d) {
			base = d
		}
	}
	o := &imagenetOpener{ctx: ctx, set: set, dir: dir, base: base, labels: c.Labels}
	if err := o.train(); err != nil {
		return nil, err
	}
	if err := o.val(); err != nil {
		return nil, err
	}
	if len(set.splits) == 0 {
		if err := o.numbered(); err != nil {
			return nil, err
		}
	}
	if len(set.splits) == 0 {
		return nil, faultf(ErrMissing, "imagenet: %s holds neither train/WNID/, %s, val/ nor %s; %s", dir, trainArchive, valArchive, remedy(c.Name))
	}
	if note := o.out.note(); note != "" {
		set.notes = append(set.notes, note)
	}
	set.noteMissing(Train, "training", officialTrain)
	set.noteMissing(Test, "validation", officialVal)
	return set, set.trainOn(c, dir)
}

// sampleImages is how many images the mean is measured on by default: its error is then below 0.003
// of the range at each pixel.
const sampleImages = 10_000

// evaluationResize is the shorter side before a central crop: 256 for 224, as in the paper's
// single-crop figures and torchvision.
func evaluationResize(size int) int { return (size*256 + 112) / 224 }

// numbered takes folders that are named after the ranks of their classes for the test split, as
// ImageNetV2 has them.
func (o *imagenetOpener) numbered() error {
	found, err := subfolders("imagenet", o.dir)
	if err != nil || len(found) == 0 {
		return err
	}
	for _, name := range found {
		if _, ok := rankOf(name); !ok {
			return nil
		}
	}
	list, err := listClasses("imagenet", o.dir, "", len(o.set.names), &o.out, func(folder string) (int, error) {
		k, _ := rankOf(folder)
		return k, nil
	})
	if err != nil {
		return err
	}
	o.set.splits[Test] = list
	return checkFirst(o.dir, list)
}

// rankOf reads the rank of a class, written without zeros in front.
func rankOf(name string) (int, bool) {
	k, err := strconv.Atoi(name)
	return k, err == nil && k >= 0 && k < len(imagenetClasses()) && strconv.Itoa(k) == name
}

// imagenetOpener finds the two splits.
type imagenetOpener struct {
	ctx    context.Context
	set    *photoSet
	dir    string // data.dir, where lists and archives are
	base   string // where train/ and val/ are
	labels string
	out    leftOut
}

func (o *imagenetOpener) train() error {
	folder := filepath.Join(o.base, "train")
	if folderThere(folder) {
		if tars := classTars(folder); len(tars) > 0 {
			return o.tars(Train, tars, nil)
		}
		list, err := listClasses("imagenet", o.base, "train", len(o.set.names), &o.out, wnidLabel(folder))
		if err != nil {
			return err
		}
		if list.count() == 0 {
			return faultf(ErrMissing, "imagenet: %s holds no folders named after WordNet IDs", folder)
		}
		o.set.splits[Train] = list
		return nil
	}
	for _, name := range []string{trainArchive, "train.tar"} {
		if p := filepath.Join(o.dir, name); fileThere(p) {
			return o.tars(Train, []string{p}, nil)
		}
	}
	return nil
}

// classTars lists train/WNID.tar, sorted.
func classTars(folder string) []string {
	entries, _ := os.ReadDir(folder) // listing its folders reports what cannot be read
	var tars []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "n") && strings.HasSuffix(e.Name(), ".tar") {
			tars = append(tars, filepath.Join(folder, e.Name()))
		}
	}
	return tars
}

func (o *imagenetOpener) val() error {
	folder := filepath.Join(o.base, "val")
	if folderThere(folder) {
		return o.valFolder(folder)
	}
	for _, name := range []string{valArchive, "val.tar"} {
		p := filepath.Join(o.dir, name)
		if !fileThere(p) {
			continue
		}
		var labels *valLabels
		return o.tars(Test, []string{p}, func(name string) (int, error) {
			if labels == nil { // an archive sorted by class needs none
				var err error
				if labels, err = findLabels(o.dir, o.labels); err != nil {
					return 0, err
				}
			}
			return labels.of(name)
		})
	}
	return nil
}

// valFolder takes val/WNID/* or the flat val/* with its labels.
func (o *imagenetOpener) valFolder(folder string) error {
	subs, err := subfolders("imagenet", folder)
	if err != nil {
		return err
	}
	list := &fileList{set: "imagenet", root: o.base, part: "val"}
	if len(subs) > 0 {
		list, err = listClasses("imagenet", o.base, "val", len(o.set.names), &o.out, wnidLabel(folder))
	} else {
		err = o.flat(list, folder)
	}
	if err != nil {
		return err
	}
	o.set.splits[Test] = list
	return checkFirst(folder, list)
}

func (o *imagenetOpener) flat(list *fileList, folder string) error {
	names, err := imageNames("imagenet", folder)
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return faultf(ErrMissing, "imagenet: %s holds %s and no folders of them", folder, noImages())
	}
	labels, err := findLabels(o.dir, o.labels)
	if err != nil {
		return err
	}
	for _, name := range names {
		k, err := labels.of(name)
		if err != nil {
			return err
		}
		list.names, list.labels = append(list.names, name), append(list.labels, int32(k))
	}
	return nil
}

// wnidLabel gives the label of a folder named after a WordNet ID.
func wnidLabel(place string) func(folder string) (int, error) {
	return func(folder string) (int, error) {
		if k := wnidRank(folder); k >= 0 {
			return k, nil
		}
		return 0, faultf(ErrData, "imagenet: %s: %q is not the WordNet ID of one of the 1000 classes of ILSVRC-2012: for other classes set data.name to folder", place, folder)
	}
}

// tars opens archives as one split. The label of an image is that of the folder or inner archive
// that it is in, or else labelOf of its name.
func (o *imagenetOpener) tars(s Split, paths []string, labelOf func(name string) (int, error)) error {
	l := &tarList{set: "imagenet"}
	for n, p := range paths {
		f, members, note, err := openTar(o.ctx, p)
		if err != nil {
			return err
		}
		if note != "" {
			o.set.notes = append(o.set.notes, note)
		}
		outer := strings.TrimSuffix(filepath.Base(p), ".tar")
		l.files = append(l.files, f)
		for _, m := range members {
			folder := path.Base(path.Dir(m.name))
			if folder == "." && wnidRank(outer) >= 0 {
				folder = outer // train/n01440764.tar
			}
			k := wnidRank(folder)
			if k < 0 {
				if labelOf == nil {
					return faultf(ErrData, "imagenet: %s: %q is in no folder or archive named after the WordNet ID of one of the 1000 classes", p, m.name)
				}
				if k, err = labelOf(path.Base(m.name)); err != nil {
					return err
				}
			}
			l.members, l.file, l.labels = append(l.members, m), append(l.file, uint16(n)), append(l.labels, int32(k))
		}
	}
	if l.count() == 0 {
		return faultf(ErrMissing, "imagenet: %s holds no images", paths[0])
	}
	l.sort()
	o.set.splits[s] = l
	return checkFirst(paths[0], l)
}

// sort puts the images in the order that folders have: by class, then by name. An epoch's order is
// drawn over it, so that an archive and its unpacked copy give the same training.
func (l *tarList) sort() {
	order := make([]int, l.count())
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(l.labels[a], l.labels[b]), cmp.Compare(path.Base(l.members[a].name), path.Base(l.members[b].name)), cmp.Compare(a, b))
	})
	members, file, labels := make([]tarMember, len(order)), make([]uint16, len(order)), make([]int32, len(order))
	for to, from := range order {
		members[to], file[to], labels[to] = l.members[from], l.file[from], l.labels[from]
	}
	l.members, l.file, l.labels = members, file, labels
}

// noteMissing notes classes and images that are not there.
func (p *photoSet) noteMissing(s Split, what string, official int) {
	n := p.count(s)
	if n == 0 {
		return
	}
	have := make([]bool, len(p.names))
	for i := range n {
		have[p.label(s, i)] = true
	}
	missing, first := 0, ""
	for k, ok := range have {
		if ok {
			continue
		}
		if missing++; missing == 1 {
			first = imagenetClasses()[k].ID
		}
	}
	switch {
	case missing > 0:
		p.notes = append(p.notes, fmt.Sprintf("the %s images are of %d of the 1000 classes; the first that is missing is %s", what, len(have)-missing, first))
	case n != official:
		p.notes = append(p.notes, fmt.Sprintf("there are %d %s images, and ILSVRC-2012 has %d", n, what, official))
	}
}

// officialArchives are the archives with the MD5 digests that image-net.org gives.
var officialArchives = []recordFile{
	{name: trainArchive, digest: "md5:1d675b47d978889d74fa0da5fadfb00e"},
	{name: valArchive, digest: "md5:29b22e2961454d5413ddabcf34fc5622"},
	{name: devkitArchive, digest: "md5:fa75699e90414af021442c21a62c3abf"},
}

// verifyImageNet compares the archives with their digests and decodes every image.
func verifyImageNet(ctx context.Context, dir string) ([]FileReport, error) {
	var out []FileReport
	for _, a := range officialArchives {
		p := filepath.Join(dir, a.name)
		if !fileThere(p) {
			continue
		}
		got, err := digestWhole(ctx, p, a.digest)
		r, err := judge(p, a.digest, got, err, func() error { return nil })
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	set, err := openImageNet(ctx, Config{Name: "imagenet", Dir: dir})
	if err != nil {
		return nil, err
	}
	images, err := verifyPhotos(ctx, set.(*photoSet), dir)
	return append(out, images...), err
}

// digestWhole is digestFile for archives, which may be larger than what one data file may hold.
func digestWhole(ctx context.Context, path, like string) (string, error) {
	f, err := input.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return digestReader(ctx, f, like, 1<<40)
}
