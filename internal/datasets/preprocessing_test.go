package datasets

import (
	"errors"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestARecordComesBackToTheBit(t *testing.T) {
	pixels := make([]float32, 3072)
	for i := range pixels {
		pixels[i] = float32(i) / 3072 / 3
	}
	for text, p := range map[string]Preprocessing{
		`"size":32,"resize":32,"interpolation":"bilinear","channels":3`:                 NewPreprocessing(3, 32, 0, Normalizer{Kind: PixelMean, Mean: pixels}),
		`"size":28,"resize":28,"interpolation":"bilinear","downsample":2,"channels":1`:  {28, 28, Bilinear, 2, 1, "", Normalizer{Kind: NoNormalizing}},
		`"mean":"7FG4PtV46T66SQw/","std":"`:                                             NewPreprocessing(3, 224, 256, Normalizer{ChannelMeanStd, []float32{0.36, 0.456, 0.548}, []float32{0.229, 0.224, math.MaxFloat32}}),
		`{"kind":"none","size":64,"resize":73,"interpolation":"bilinear","channels":3}`: NewPreprocessing(3, 64, 73, Normalizer{Kind: NoNormalizing}),
	} {
		got, err := DecodePreprocessing(p.Encode())
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(p, got); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		if !strings.Contains(p.Encode(), text) || len(p.Encode()) > 17_000 {
			t.Errorf("%.200s… has not %s, or takes %d bytes", p.Encode(), text, len(p.Encode()))
		}
	}
}

// TestRecordsOfEarlierProgramsAreRead: they hold the normaliser alone.
func TestRecordsOfEarlierProgramsAreRead(t *testing.T) {
	p, err := DecodePreprocessing(`{"kind":"channel-mean-std","mean":"AAAAPwAAgD4AAAA/","std":"AACAPwAAAEAAAEBA"}`)
	want := Preprocessing{Normalizer: Normalizer{ChannelMeanStd, []float32{.5, .25, .5}, []float32{1, 2, 3}}}
	if d := cmp.Diff(want, p); err != nil || d != "" {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
	for _, text := range []string{"", "[]", `{"mean":"!"}`, `{"mean":"AAAA"}`, `{"kind":"none","std":"AAA="}`, `{"size":"32"}`, `{"size":1.5}`} {
		if p, err := DecodePreprocessing(text); !errors.Is(err, ErrData) {
			t.Errorf("%s: %+v, %v, want ErrData", text, p, err)
		}
	}
}

func TestImpossibleRecordsAreRefused(t *testing.T) {
	good := NewPreprocessing(3, 8, 10, Normalizer{})
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for says, spoil := range map[string]func(*Preprocessing){
		"a size of 0":            func(p *Preprocessing) { p.Size = 0 },
		"a size of 5000":         func(p *Preprocessing) { p.Size, p.Resize = 5000, 5000 },
		"a shorter side of 7":    func(p *Preprocessing) { p.Resize = 7 },
		"a shorter side of 4097": func(p *Preprocessing) { p.Resize = 4097 },
		"blocks of 3":            func(p *Preprocessing) { p.Downsample = 3 },
		"blocks of 0":            func(p *Preprocessing) { p.Downsample = 0 },
		"2 channels":             func(p *Preprocessing) { p.Channels = 2 },
		`interpolation "cubic"`:  func(p *Preprocessing) { p.Interpolation = "cubic" },
		"unknown kind":           func(p *Preprocessing) { p.Kind = "zca" },
	} {
		p := good
		spoil(&p)
		if err := p.Check(); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want ErrConfig with %q", err, says)
		}
	}
}

func TestConfigurationsSayHowImagesAreCut(t *testing.T) {
	for _, c := range []struct {
		c            Config
		size, resize int
		side         int
	}{
		{Config{Name: "folder"}, 224, 224, 224},
		{Config{Name: "folder", Size: 32}, 32, 32, 32},
		{Config{Name: "folder", Size: 32, Resize: 64}, 32, 64, 32},
		{Config{Name: "folder", Size: 64, Downsample: 2}, 64, 64, 32},
		{Config{Name: "imagenet"}, 224, 256, 224},
		{Config{Name: "packed", Size: 112}, 112, 128, 112},
		{Config{Name: "packed", Size: 11}, 11, 13, 11}, // 12.57
		{Config{Name: "imagenet", Size: 9}, 9, 10, 9},  // 10.29
		{Config{Name: "imagenet", Resize: 232}, 224, 232, 224},
		{Config{Name: "mnist", Size: 99, Resize: 99, Downsample: 2}, 224, 224, 112}, // no sizes
	} {
		p, err := c.c.View(3, 224)
		if err != nil || p.Size != c.size || p.Resize != c.resize || p.Side() != c.side || p.Channels != 3 || p.Interpolation != Bilinear {
			t.Errorf("%+v: %+v, %v, want %d of %d, %d pixels", c.c, p, err, c.size, c.resize, c.side)
		}
	}
	for says, c := range map[string]Config{"does not divide": {Name: "folder", Size: 33, Downsample: 2}, "does not fit": {Name: "folder", Size: 32, Resize: 31}} {
		if _, err := c.View(3, 224); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// TestAViewIsWrittenOutByHand: resize, central crop, mean of blocks, luma, one after another.
func TestAViewIsWrittenOutByHand(t *testing.T) {
	pic := noisy(67, 41)
	for _, p := range []Preprocessing{
		NewPreprocessing(3, 24, 33, Normalizer{}), NewPreprocessing(1, 24, 24, Normalizer{}),
		{24, 30, Bilinear, 2, 3, "", Normalizer{}},
		{24, 30, Bilinear, 3, 1, "", Normalizer{}},
		NewPreprocessing(3, 41, 41, Normalizer{}), NewPreprocessing(3, 50, 60, Normalizer{}),
	} {
		r := pic.ResizeShorter(p.Resize)
		n, k, side := p.Size, p.Downsample, p.Size/p.Downsample
		x0, y0 := CentreOffset(r.Width, n), CentreOffset(r.Height, n)
		var planes [3][]byte
		for c := range planes {
			for y := range side {
				for x := range side {
					sum := 0
					for dy := range k {
						for dx := range k {
							sum += int(r.Pix[3*((y0+k*y+dy)*r.Width+x0+k*x+dx)+c])
						}
					}
					planes[c] = append(planes[c], byte(math.Floor(float64(sum)/float64(k*k)+0.5)))
				}
			}
		}
		want := slices.Concat(planes[:]...)
		if p.Channels == 1 {
			want = want[:0]
			for i := range planes[0] {
				want = append(want, byte((19595*int(planes[0][i])+38470*int(planes[1][i])+7471*int(planes[2][i])+32768)/65536))
			}
		}
		if got := p.View(pic); !slices.Equal(got, want) {
			t.Errorf("%+v: the view differs", p)
		}
	}
}

// loaded reads the first batch of the training split as the options say.
func loaded(t *testing.T, d *Dataset, o LoaderOptions) []float32 {
	t.Helper()
	o.Split, o.Batch, o.Epochs = Train, d.Len(Train), 1
	b, err := newLoader(t, d, o).Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return b.X
}

// TestTheLoaderShowsWhatTheRecordShows: whatever the size that a data set was opened with, a loader
// with a record delivers the record's view of each picture, normalised.
func TestTheLoaderShowsWhatTheRecordShows(t *testing.T) {
	grey := &array{names: []string{"a"}, c: 1, h: 6, w: 6, train: records{pixels: randomBytes(2 * 36), labels: []uint8{0, 0}}}
	colour := &array{names: []string{"a"}, c: 3, h: 6, w: 6, train: records{pixels: randomBytes(2 * 108), labels: []uint8{0, 0}}}
	for _, src := range []*array{grey, colour} {
		d, err := newDataset(Config{Name: "x"}, "", src, 0)
		if err != nil {
			t.Fatal(err)
		}
		own := d.Preprocessing(Normalizer{Kind: NoNormalizing})
		want := NewPreprocessing(src.c, 6, 6, Normalizer{Kind: NoNormalizing})
		// The images have no EXIF, and photographs that are predicted have.
		want.Orientation = OrientData
		if d := cmp.Diff(want, own); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		if !slices.Equal(loaded(t, d, LoaderOptions{}), loaded(t, d, LoaderOptions{View: &own})) {
			t.Errorf("%d channels: the own record shows another view", src.c)
		}
		for _, p := range []Preprocessing{
			own, NewPreprocessing(3, 8, 9, Normalizer{}), NewPreprocessing(1, 4, 5, Normalizer{}),
			{6, 6, Bilinear, 2, 3, "", Normalizer{}},
			NewPreprocessing(3, 6, 7, Normalizer{ChannelMeanStd, []float32{.1, .2, .3}, []float32{1, 2, 3}}),
		} {
			got := loaded(t, d, LoaderOptions{View: &p})
			per := p.Channels * p.Side() * p.Side()
			for i := range 2 {
				pic, err := d.Picture(Train, i)
				if err != nil {
					t.Fatal(err)
				}
				want := make([]float32, per)
				p.Apply(want, p.View(pic))
				if !slices.Equal(got[i*per:(i+1)*per], want) {
					t.Errorf("%d channels, %+v: image %d differs", src.c, p, i)
				}
			}
		}
	}
}

// TestAveragingOnReadingIsTheRecords: a set that is made smaller in memory has the record that
// makes the same of its whole pictures.
func TestAveragingOnReadingIsTheRecords(t *testing.T) {
	pixels := randomBytes(3 * 64)
	open := func(k int) *Dataset {
		a := &array{names: []string{"a"}, c: 1, h: 8, w: 8, train: records{pixels: slices.Clone(pixels), labels: []uint8{0, 0, 0}}}
		if err := a.downsample("x", k); err != nil {
			t.Fatal(err)
		}
		d, err := newDataset(Config{Name: "x", Downsample: k}, "", a, 0)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	small, whole := open(4), open(1)
	p := small.Preprocessing(Normalizer{})
	if p.Size != 8 || p.Side() != 2 || small.Info().Height != 2 {
		t.Fatalf("%+v, %+v", p, small.Info())
	}
	want := loaded(t, small, LoaderOptions{})
	if got := loaded(t, whole, LoaderOptions{View: &p}); len(got) != 3*4 || !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestAViewOfEvaluationIsNotAugmented(t *testing.T) {
	d := tiny(t, 4)
	p := d.Preprocessing(Normalizer{})
	for _, a := range []Augment{{Pad: 1}, {Flip: true}, {Color: 1}} {
		if _, err := NewLoader(d, LoaderOptions{Split: Train, Batch: 1, Augment: a, View: &p}); !errors.Is(err, ErrConfig) {
			t.Errorf("%+v: %v, want ErrConfig", a, err)
		}
	}
	p.Resize = 1
	if _, err := NewLoader(d, LoaderOptions{Split: Train, Batch: 1, View: &p}); !errors.Is(err, ErrConfig) {
		t.Errorf("an impossible view: %v", err)
	}
}

func TestLumaIsPillows(t *testing.T) {
	// PIL.Image.new("RGB", (1, 1), rgb).convert("L") for these colours.
	for _, c := range [][4]byte{{255, 255, 255, 255}, {255, 0, 0, 76}, {0, 255, 0, 150}, {0, 0, 255, 29}, {12, 200, 77, 130}} {
		if y := Luma(c[:3]); len(y) != 1 || y[0] != c[3] {
			t.Errorf("grey of %v is %v, want %d", c[:3], y, c[3])
		}
	}
}

func TestARecordInPlainNumbers(t *testing.T) {
	p := NewPreprocessing(3, 224, 256, Normalizer{Kind: ChannelMeanStd, Mean: []float32{0.485, 0.456, 0.406}, Std: []float32{0.229, 0.224, 0.225}})
	want := map[string]string{
		"x.size": "224", "x.resize": "256", "x.interpolation": "bilinear", "x.channels": "3", "x.normalize": "channel-mean-std",
		"x.mean": "0.485,0.456,0.406", "x.std": "0.229,0.224,0.225",
	}
	if got := p.Plain("x."); !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	// Of a mean image, the means over its channels.
	p = NewPreprocessing(1, 2, 4, Normalizer{Kind: PixelMean, Mean: []float32{0.25, 0.5, 0.75, 1}})
	p.Downsample = 2
	if got := p.Plain(""); got["mean"] != "0.625" || got["std"] != "" || got["downsample"] != "2" {
		t.Errorf("%v", got)
	}
}
