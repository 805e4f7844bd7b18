package datasets

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestTheDefaultConfigIsValid(t *testing.T) {
	if errs := DefaultConfig().Validate(); len(errs) > 0 {
		t.Error(errs)
	}
}

func TestEveryBadFieldIsReportedAtOnce(t *testing.T) {
	bad := Config{
		Name: "cifar-10 ", Validation: -1, Normalize: "zca", MeanImages: -1, Labels: "val.txt", TrainOn: "val",
		Augment: Augment{Crop: "resized", Pad: -1, ShorterMin: 480, ShorterMax: 256, AreaMin: 2, AspectMax: 0.5, Color: -1}, Size: 5000, Resize: -1, Downsample: -2,
		Limit: -1, Workers: -1, OnCorrupt: "ignore",
	}
	var got []string
	for _, e := range bad.Validate() {
		got = append(got, e.Path)
		if !errors.Is(e, ErrConfig) || !strings.HasPrefix(e.Error(), "data."+e.Path) {
			t.Errorf("%v is no ErrConfig about data.%s", e, e.Path)
		}
	}
	want := []string{
		"name", "labels", "train_on", "validation", "normalize", "mean_images", "augment.crop", "augment.pad", "augment.shorter_min", "augment.area_min",
		"augment.aspect_max", "augment.color", "size", "resize", "downsample", "limit", "workers", "on_corrupt",
	}
	if !slices.Equal(got, want) {
		t.Errorf("reported %v, want %v", got, want)
	}
	if msg := bad.Validate()[0].Msg; !strings.HasSuffix(msg, ` - did you mean "cifar10"?`) {
		t.Errorf("message %q", msg)
	}
	if msg := (Config{Name: "svhn"}).Validate()[0].Msg; !strings.Contains(msg, "(one of") || !strings.Contains(msg, "folder") {
		t.Errorf("message %q does not list the names", msg)
	}
	if errs := (Config{Name: "folder"}).Validate(); len(errs) != 1 || errs[0].Path != "dir" {
		t.Errorf("a folder without dir: %v", errs)
	}
}

func TestTheGreatestValuesAreAllowed(t *testing.T) {
	c := Config{Name: "imagenet", Size: 4096, Resize: 4096, Augment: Augment{Crop: CropShorterSide, ShorterMin: 4096, ShorterMax: 4096, Pad: 4096, AreaMin: 1, AspectMax: maxAspect, Color: 10}}
	if errs := c.Validate(); len(errs) > 0 {
		t.Errorf("%v", errs)
	}
	for path, change := range map[string]func(*Config){
		"augment.color": func(c *Config) { c.Augment.Color = 10.01 }, "augment.area_min": func(c *Config) { c.Augment.AreaMin = 1.01 },
		"augment.aspect_max": func(c *Config) { c.Augment.AspectMax = maxAspect + 0.01 }, "size": func(c *Config) { c.Size = 4097 },
		"resize": func(c *Config) { c.Resize = 4097 }, "augment.pad": func(c *Config) { c.Augment.Pad = 4097 },
		"augment.shorter_min": func(c *Config) { c.Augment.ShorterMax = 4097 },
	} {
		more := c
		change(&more)
		if errs := more.Validate(); len(errs) != 1 || errs[0].Path != path {
			t.Errorf("more than the greatest %s: %v", path, errs)
		}
	}
}

func TestOpenRefusesABadConfig(t *testing.T) {
	for name, c := range map[string]Config{
		"unknown name":            {Name: "svhn"},
		"too much validation":     {Name: "fashion-sample", Validation: 5000},
		"downsample not dividing": {Name: "fashion-sample", Downsample: 3},
	} {
		if _, err := Open(t.Context(), c, 1); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: error %v, want ErrConfig", name, err)
		}
	}
}

func TestDownsampleAveragesBlocks(t *testing.T) {
	a := &array{names: []string{"a"}, c: 2, h: 2, w: 4}
	a.train = records{pixels: []byte{
		0, 1, 10, 10,
		2, 3, 10, 11,
		255, 255, 0, 0,
		255, 255, 0, 1,
	}, labels: []uint8{0}}
	if err := a.downsample("x", 2); err != nil {
		t.Fatal(err)
	}
	if want := []byte{2, 10, 255, 0}; !slices.Equal(a.train.pixels, want) || a.h != 1 || a.w != 2 {
		t.Errorf("%v, %d×%d, want %v, 1×2", a.train.pixels, a.h, a.w, want)
	}
}

func TestEveryDataSetHasWhatTheCommandsNeed(t *testing.T) {
	for _, name := range Names() {
		e := registry()[name]
		if e.title == "" || e.open == nil || e.verify == nil || (e.fetch == nil) == (e.local == "") {
			t.Errorf("%s: the entry is not complete", name)
		}
		if e.fetch == nil {
			continue
		}
		for _, r := range e.fetch.files {
			if !r.pinned() {
				t.Errorf("%s: %s has no pinned SHA-256", name, r.name)
			}
		}
		for _, m := range e.fetch.members {
			if m.digest == "" || m.size == 0 {
				t.Errorf("%s: member %s has no digest or size", name, m.path)
			}
		}
	}
}

func TestALabelPatternHasAGroupAndIsForFolders(t *testing.T) {
	for _, c := range []struct {
		name, pattern, labels, want string
	}{
		{"folder", NameNumber, "", ""},
		{"folder", "^([^_]+)_", "", ""},
		{"folder", "(", "", "missing closing"},
		{"folder", "^[^_]+_", "", "has no group for the class"},
		{"folder", "(?P<split>[^/]+)/", "", "has no group for the class"},
		{"folder", NameNumber, "labels.csv", "data.labels gives the classes already"},
		{"cifar10", NameNumber, "", "cifar10 has labels of its own"},
	} {
		cfg := DefaultConfig()
		cfg.Name, cfg.Dir, cfg.LabelPattern, cfg.Labels = c.name, "x", c.pattern, c.labels
		var got []string
		for _, e := range cfg.Validate() {
			got = append(got, e.Path+": "+e.Msg)
		}
		if c.want == "" && len(got) > 0 || c.want != "" && (len(got) != 1 || !strings.HasPrefix(got[0], "label_pattern: ") || !strings.Contains(got[0], c.want)) {
			t.Errorf("%s, %s: %q, want %q", c.name, c.pattern, got, c.want)
		}
	}
}
