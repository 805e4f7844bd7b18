package eval

import (
	"errors"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"resnet/internal/blocks"
	"resnet/internal/datasets"
	"resnet/internal/graph"
)

// fiver is a machine of ten classes that finds class 5 likeliest, class 3 next, whatever it sees.
type fiver struct{ graph.Machine }

func (fiver) Infer(_ []float32, n int) ([]float32, error) {
	return slices.Repeat([]float32{0, 0, 0, 2, 0, 4, 0, 0, 0, 0}, n), nil
}
func (fiver) Close()       {}
func (fiver) Bytes() int64 { return 0 }

// classFolder opens a folder with so many test images of each class.
func classFolder(t *testing.T, counts map[string]int) *datasets.Dataset {
	t.Helper()
	dir := t.TempDir()
	for class, n := range counts {
		for i := range n {
			m := image.NewRGBA(image.Rect(0, 0, 12, 10))
			m.SetRGBA(i, 0, color.RGBA{200, 100, 50, 255})
			path := filepath.Join(dir, "test", class, strconv.Itoa(i)+".png")
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			f, err := os.Create(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(png.Encode(f, m), f.Close()); err != nil {
				t.Fatal(err)
			}
		}
	}
	ds, err := datasets.Open(t.Context(), datasets.Config{Name: "folder", Dir: dir, Size: 9}, 1)
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

// TestAFolderWithSomeOfTheClassesIsScoredByName: by position the labels would be 0, 1 and 2, all
// wrong.
func TestAFolderWithSomeOfTheClassesIsScoredByName(t *testing.T) {
	spec, err := blocks.Lookup("tiny-b")
	if err != nil {
		t.Fatal(err)
	}
	m := &Model{Path: "net", Spec: spec, Params: graph.NewParamSet(1), Preprocessing: datasets.NewPreprocessing(3, 9, 9, datasets.Normalizer{}), Classes: digits()}
	factory := Factory{Compile: func(*graph.Graph, *graph.ParamSet, MachineOptions) (graph.Machine, error) { return fiver{}, nil }}
	o := EvaluateOptions{Split: datasets.Test, ScorerOptions: ScorerOptions{Factory: factory, Batch: 4}}
	ds := classFolder(t, map[string]int{"3": 3, "5": 5, "7": 2})
	norm := math.Log(8 + math.Exp(2) + math.Exp(4))
	wantLoss := norm - (3*2+5*4+2*0)/10.
	for _, v := range []ViewOptions{{Crops: CropsOne, Combine: CombineSoftmax}, {Crops: CropsTen, Combine: CombineLogits}, {Crops: CropsFull, Scales: []int{9, 10}, Combine: CombineLogits}} {
		p, err := v.For(m, ds.Info())
		if err != nil {
			t.Fatal(err)
		}
		var labels []int
		got, err := EvaluateViews(t.Context(), m, ds, p, o, func(im Image) error {
			labels = append(labels, im.Label)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		// 5 of 10 are of class 5; 3 and 5 are among the first five, and so is 7 where it is not: of
		// the equal logits 0, 1 and 2 come before it.
		if got.N != 10 || got.Top1Error != 50 || got.Top5Error == nil || *got.Top5Error != 20 || math.Abs(got.Loss-wantLoss) > 1e-6 {
			t.Errorf("%s: %+v, want top-1 50, top-5 20, loss %v", p, got, wantLoss)
		}
		if !slices.Equal(labels, []int{3, 3, 3, 5, 5, 5, 5, 5, 7, 7}) {
			t.Errorf("%s: observers see the labels %v", p, labels)
		}
		if got.Confusion[3][5] != 3 || got.Confusion[5][5] != 5 || got.Confusion[7][5] != 2 {
			t.Errorf("%s: confusion %v", p, got.Confusion)
		}
	}

	lacking := classFolder(t, map[string]int{"5": 2, "ant": 1, "bee": 1})
	for _, crops := range []string{CropsOne, CropsTen} {
		p, err := ViewOptions{Crops: crops, Combine: CombineLogits}.For(m, lacking.Info())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := EvaluateViews(t.Context(), m, lacking, p, o); !errors.Is(err, ErrLabel) || !strings.Contains(err.Error(), "it lacks 2 of the data set's classes (ant, bee)") {
			t.Errorf("%s crops: %v, want the classes that the network lacks", crops, err)
		}
		// The first two images are of class 5.
		first := o
		first.Limit = 2
		if got, err := EvaluateViews(t.Context(), m, lacking, p, first); err != nil || got.Top1Error != 0 || got.N != 2 {
			t.Errorf("%s crops, classes that no image has: %+v, %v", crops, got, err)
		}
	}
	m.Classes = nil
	p, err := ViewOptions{Crops: CropsOne, Combine: CombineLogits}.For(m, ds.Info())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := EvaluateViews(t.Context(), m, ds, p, o); !errors.Is(err, ErrModel) || !strings.Contains(err.Error(), "--classes-file") {
		t.Errorf("a network without names on other classes: %v", err)
	}
}
