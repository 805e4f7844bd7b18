package datasets_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"path/filepath"
	"slices"
	"testing"

	"resnet/internal/blocks"
	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/graph"
)

// recorder is a machine that keeps what it is given, and knows one class.
type recorder struct {
	graph.Machine
	classes int
	seen    *[]float32
}

func (r recorder) Infer(x []float32, n int) ([]float32, error) {
	*r.seen = append(*r.seen, x...)
	return make([]float32, n*r.classes), nil
}
func (r recorder) Close()       {}
func (r recorder) Bytes() int64 { return 0 }

// textured is a picture in which no two regions are alike.
func textured(w, h, seed int) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetRGBA(x, y, color.RGBA{byte(x*x + 7*y + seed), byte(13*x ^ 5*y), byte(x*y + 3*seed), 255})
		}
	}
	return m
}

// photoFolder writes part/CLASS/*.png and *.jpg of several shapes, a grey one among them.
func photoFolder(t *testing.T, dir, part string, classes []string) {
	t.Helper()
	for i, size := range [][2]int{{40, 31}, {31, 40}, {33, 33}, {90, 35}, {17, 29}, {64, 64}} {
		place := filepath.Join(dir, part, classes[i%len(classes)])
		img := textured(size[0], size[1], 9*i)
		if i == 2 {
			grey := image.NewGray(img.Bounds())
			for p := range grey.Pix {
				grey.Pix[p] = byte(p * p)
			}
			img = grey
		}
		write(t, filepath.Join(place, fmt.Sprintf("%d.png", i)), pngBytes(t, img))
		write(t, filepath.Join(place, fmt.Sprintf("%d.jpg", i)), jpegBytes(t, img))
	}
}

// TestTrainingEvaluationAndPredictionSeeTheSamePixels: what a training validates on is, to the bit,
// what an evaluation gives the network that has nothing but the text of the record and a data set
// that was opened for another size, and what a prediction makes of the files alone.
func TestTrainingEvaluationAndPredictionSeeTheSamePixels(t *testing.T) {
	folder, wordnet, cifar := t.TempDir(), t.TempDir(), t.TempDir()
	photoFolder(t, folder, "train", []string{"ant", "bee"})
	photoFolder(t, folder, "test", []string{"ant", "bee"})
	photoFolder(t, wordnet, "train", []string{"n01440764", "n02102040"})
	photoFolder(t, wordnet, "val", []string{"n01440764", "n02102040"})
	cifarFolder(t, cifar, 3)
	open := func(t *testing.T, c datasets.Config) *datasets.Dataset {
		t.Helper()
		var ds *datasets.Dataset
		var err error
		if c.Name == "cifar10" {
			c.Dir = cifar
			ds, err = datasets.OpenSmallCIFAR(datasets.NewSmallCIFAR(false, 3), c, 1)
		} else {
			ds, err = datasets.Open(t.Context(), c, 1)
		}
		if err != nil {
			t.Fatal(err)
		}
		return ds
	}
	for name, c := range map[string]struct {
		trained, opened datasets.Config
		kind            string
		size, resize    int
	}{
		"a folder":                  {datasets.Config{Name: "folder", Dir: folder, Size: 32}, datasets.Config{Name: "folder", Dir: folder}, datasets.PixelMean, 32, 32},
		"a folder with data.resize": {datasets.Config{Name: "folder", Dir: folder, Size: 32, Resize: 64}, datasets.Config{Name: "folder", Dir: folder, Size: 16}, datasets.ChannelMeanStd, 32, 64},
		"a folder of averaged pixels": {
			datasets.Config{Name: "folder", Dir: folder, Size: 32, Resize: 36, Downsample: 2},
			datasets.Config{Name: "folder", Dir: folder, Size: 32},
			datasets.PixelMean, 32, 36,
		},
		"ImageNet":          {datasets.Config{Name: "imagenet", Dir: wordnet, Size: 21, MeanImages: 5}, datasets.Config{Name: "imagenet", Dir: wordnet, Size: 56}, datasets.ChannelMeanStd, 21, 24},
		"CIFAR-10":          {datasets.Config{Name: "cifar10"}, datasets.Config{Name: "cifar10"}, datasets.PixelMean, 32, 32},
		"grey images":       {datasets.Config{Name: "fashion-sample"}, datasets.Config{Name: "fashion-sample"}, datasets.PixelMean, 28, 28},
		"grey and averaged": {datasets.Config{Name: "fashion-sample", Downsample: 2}, datasets.Config{Name: "fashion-sample", Downsample: 2}, datasets.ChannelMeanStd, 28, 28},
	} {
		t.Run(name, func(t *testing.T) {
			ds := open(t, c.trained)
			norm, err := datasets.FitNormalizer(t.Context(), ds, c.kind)
			if err != nil {
				t.Fatal(err)
			}
			record := ds.Preprocessing(norm)
			if record.Size != c.size || record.Resize != c.resize {
				t.Fatalf("%+v, want %d pixels of %d", record, c.size, c.resize)
			}
			limit := min(50, ds.Len(datasets.Test))
			loader, err := datasets.NewLoader(ds, datasets.LoaderOptions{Split: datasets.Test, Batch: limit, Epochs: 1, Normalizer: norm})
			if err != nil {
				t.Fatal(err)
			}
			defer loader.Close()
			batch, err := loader.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			want := batch.X

			model := modelOf(t, record, ds)
			other := open(t, c.opened)
			var seen []float32
			factory := eval.Factory{Compile: func(*graph.Graph, *graph.ParamSet, eval.MachineOptions) (graph.Machine, error) {
				return recorder{classes: model.Spec.Classes, seen: &seen}, nil
			}}
			p, err := eval.ViewOptions{Crops: eval.CropsOne, Combine: eval.CombineSoftmax}.For(model, other.Info())
			if err != nil {
				t.Fatal(err)
			}
			o := eval.EvaluateOptions{Split: datasets.Test, Limit: limit, ScorerOptions: eval.ScorerOptions{Factory: factory, Batch: limit}}
			if _, err := eval.EvaluateViews(t.Context(), model, other, p, o); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(seen, want) {
				t.Errorf("the evaluation sees other pixels than the training")
			}

			seen = nil
			if p, err = (eval.ViewOptions{Crops: eval.CropsOne, Combine: eval.CombineSoftmax}).Protocol(model); err != nil {
				t.Fatal(err)
			}
			scorer := eval.NewScorer(model, p, eval.ScorerOptions{Factory: factory, Batch: 7, Workers: 2})
			defer scorer.Close()
			files := c.opened // which are as large as they are stored
			files.Downsample = 0
			stored := open(t, files)
			cuts := eval.PictureCuts(p, model.Preprocessing, func(i int) (datasets.Picture, error) { return filed(t, stored, i) })
			if err := scorer.Score(t.Context(), limit, cuts, func(int, []float32) error { return nil }); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(seen, want) {
				t.Errorf("the prediction sees other pixels than the training")
			}
		})
	}
}

// modelOf is a network that looks at pictures as the text of a record says.
func modelOf(t *testing.T, record datasets.Preprocessing, ds *datasets.Dataset) *eval.Model {
	t.Helper()
	spec, err := blocks.Lookup("tiny-b")
	if err != nil {
		t.Fatal(err)
	}
	back, err := datasets.DecodePreprocessing(record.Encode())
	if err != nil {
		t.Fatal(err)
	}
	spec.InputChannels, spec.InputSize, spec.Classes = back.Channels, back.Side(), len(ds.Info().Classes)
	return &eval.Model{Spec: spec, Params: graph.NewParamSet(1), Preprocessing: back, Classes: ds.Info().Classes}
}

// filed is test image i as a file is read: the file that it came from, or one that is made of it.
func filed(t *testing.T, ds *datasets.Dataset, i int) (datasets.Picture, error) {
	p, err := ds.Picture(datasets.Test, i)
	if err != nil || datasets.AnySize(ds.Info().Name) {
		return p, err
	}
	m := image.NewRGBA(image.Rect(0, 0, p.Width, p.Height))
	for k := range p.Width * p.Height {
		copy(m.Pix[4*k:], p.Pix[3*k:3*k+3])
		m.Pix[4*k+3] = 255
	}
	return datasets.DecodePicture(bytes.NewReader(pngBytes(t, m)), "x.png")
}
