package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"resnet/internal/datasets"
)

// figures are the error in percent and the loss of a split, as a command gives them.
type figures struct{ top1, loss float64 }

// printed is how figures are shown to people.
func (f figures) printed() string { return fmt.Sprintf("%.2f%% %.4f", f.top1, f.loss) }

// output runs a command that has to succeed and reads the JSON that it prints.
func output(t *testing.T, v any, args ...string) {
	t.Helper()
	var out, errw bytes.Buffer
	if status := run(args, strings.NewReader(""), &out, &errw); status != 0 {
		t.Fatalf("resnet %v: status %d: %s", args, status, errw.String())
	}
	if err := json.Unmarshal(out.Bytes(), v); err != nil {
		t.Fatalf("resnet %v: %v", args, err)
	}
}

// TestTrainEvalAndPredictGiveTheSameFigures: the test error and the loss that a training prints are
// those of eval to the last bit, and those that follow from the probabilities of predict.
func TestTrainEvalAndPredictGiveTheSameFigures(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	classes := []string{"ant", "bee", "cat"}
	wnids := []string{"n01440764", "n02102040", "n02979186"}
	writePhotographs(t, "photos", "test", classes)
	writePhotographs(t, "ilsvrc", "val", wnids)
	writePhotographs(t, "more", "test", append(classes, "dog"))
	writeFashion(t, "fashion")
	const folder = "data: {name: folder, dir: photos, size: 16}\n"
	for _, c := range []struct{ name, config, images string }{
		{"folder", folder, "photos/test"},
		{"resize", strings.Replace(folder, "size: 16", "size: 16, resize: 23", 1), "photos/test"},
		{"imagenet", "data: {name: imagenet, dir: ilsvrc, size: 24, mean_images: 6}\n", "ilsvrc/val"},
		{"fixed", "data: {name: fashion-sample, limit: 16}\n", "fashion"},
		{"tuned", "data: {name: folder, dir: more, size: 16}\n", "more/test"},
	} {
		weights := ""
		if c.name == "tuned" {
			weights = ", weights: resize"
		}
		config := "model: {family: cifar, depth: 8, residual: true" + weights + "}\n" + c.config +
			"train: {batch: 4, iterations: 3, schedule: {rate: 0.02}}\neval: {every: 3, batch: 7}\n"
		if err := os.WriteFile(c.name+".yaml", []byte(config), 0o644); err != nil {
			t.Fatal(err)
		}
		var trained struct {
			Test struct {
				Top1 float64 `json:"top1_error"`
				Loss float64 `json:"loss"`
			} `json:"test"`
		}
		output(t, &trained, "train", "--config", c.name+".yaml", "--run", c.name, "--json")
		var measured struct {
			Rows []struct {
				N    int     `json:"n"`
				Top1 float64 `json:"top1_error"`
				Loss float64 `json:"loss"`
			} `json:"rows"`
		}
		output(t, &measured, "eval", c.name, "--json")
		want := figures{trained.Test.Top1, trained.Test.Loss}
		if r := measured.Rows[0]; (figures{r.Top1, r.Loss}) != want {
			t.Errorf("%s: eval gives %v, train gave %v", c.name, figures{r.Top1, r.Loss}, want)
		}
		got, n := predictedFigures(t, c.name, c.images)
		if n != measured.Rows[0].N || got.printed() != want.printed() || math.Abs(got.loss-want.loss) > 1e-6 {
			t.Errorf("%s: predict gives %s on %d images, train gave %s on %d", c.name, got.printed(), n, want.printed(), measured.Rows[0].N)
		}
	}
}

// predictedFigures classifies the images of a folder of classes; the folder of an image is its
// label.
func predictedFigures(t *testing.T, run, images string) (figures, int) {
	t.Helper()
	var predicted struct {
		Images []struct {
			Image string `json:"image"`
			Top   []struct {
				Class       int     `json:"class"`
				Probability float64 `json:"probability"`
			} `json:"top"`
		} `json:"images"`
	}
	output(t, &predicted, "predict", run, images, "--top", "1000", "--batch", "5", "--json")
	labels := map[string]int{}
	if strings.HasPrefix(images, "ilsvrc") {
		for i, c := range datasets.ImageNetClasses() {
			labels[c.ID] = i
		}
	} else {
		folders, err := os.ReadDir(images)
		if err != nil {
			t.Fatal(err)
		}
		for i, f := range folders {
			labels[f.Name()] = i
		}
	}
	var f figures
	n := len(predicted.Images)
	for _, p := range predicted.Images {
		label := labels[filepath.Base(filepath.Dir(p.Image))]
		if p.Top[0].Class != label {
			f.top1 += 100 / float64(n)
		}
		for _, g := range p.Top {
			if g.Class == label {
				f.loss -= math.Log(g.Probability) / float64(n)
			}
		}
	}
	return f, n
}

// writePhotographs makes a folder of photographs of several sizes, with a training split and
// another, that differ by class.
func writePhotographs(t *testing.T, dir, split string, classes []string) {
	t.Helper()
	sizes := [][2]int{{24, 18}, {18, 24}, {31, 19}, {20, 20}, {64, 27}}
	for part, name := range []string{"train", split} {
		for c, class := range classes {
			to := filepath.Join(dir, name, class)
			if err := os.MkdirAll(to, 0o755); err != nil {
				t.Fatal(err)
			}
			for i, size := range sizes {
				if err := photograph(filepath.Join(to, fmt.Sprint(i)), size[0], size[1], 50*c+7*part+3*i+1, i == 3); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// writeFashion writes the test images of the embedded sample as files, by class.
func writeFashion(t *testing.T, dir string) {
	t.Helper()
	set, err := datasets.Open(t.Context(), datasets.Config{Name: "fashion-sample", Downsample: 1}, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i := range set.Len(datasets.Test) {
		p, err := set.Picture(datasets.Test, i)
		if err != nil {
			t.Fatal(err)
		}
		img := image.NewGray(image.Rect(0, 0, p.Width, p.Height))
		for k := range img.Pix {
			img.Pix[k] = p.Pix[len(p.Pix)/len(img.Pix)*k]
		}
		to := filepath.Join(dir, fmt.Sprint(set.Label(datasets.Test, i)))
		if err := os.MkdirAll(to, 0o755); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := png.Encode(&b, img); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, fmt.Sprintf("%04d.png", i)), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
