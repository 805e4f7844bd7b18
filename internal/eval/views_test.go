package eval

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"resnet/internal/blocks"
	"resnet/internal/datasets"
	"resnet/internal/graph"
)

// photographs writes a folder of small PNG and JPEG files of several shapes, some of them alike, in
// three classes, and opens it.
func photographs(t *testing.T) *datasets.Dataset {
	t.Helper()
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(21, 22))
	for i, size := range [][2]int{{24, 18}, {18, 24}, {24, 18}, {31, 19}, {20, 20}, {24, 18}, {64, 17}, {19, 31}, {11, 10}} {
		img := image.NewRGBA(image.Rect(0, 0, size[0], size[1]))
		for p := range size[0] * size[1] {
			x, y := p%size[0], p/size[0]
			img.SetRGBA(x, y, color.RGBA{uint8(9*x + 40*i), uint8(7*y + r.IntN(60)), uint8(r.IntN(256)), 255})
		}
		class := filepath.Join(dir, "val", []string{"ant", "bee", "cat"}[i%3])
		if err := os.MkdirAll(class, 0o755); err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("%02d.%s", i, []string{"png", "jpg"}[i%2])
		f, err := os.Create(filepath.Join(class, name))
		if err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			err = png.Encode(f, img)
		} else {
			err = jpeg.Encode(f, img, nil)
		}
		if err := errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	ds, err := datasets.Open(t.Context(), datasets.Config{Name: "folder", Dir: dir, Size: 9}, 1)
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

// tiny makes a small net with random weights and statistics, and a mean image that is not flat.
func tiny(t *testing.T, name string, seed uint64) *Model {
	t.Helper()
	spec, err := blocks.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	m := &Model{Path: name, Spec: spec, Params: graph.NewParamSet(seed)}
	if _, err := blocks.Build(spec, 1, graph.Eval, m.Params); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(seed, 5))
	mean := make([]float32, 3*spec.InputSize*spec.InputSize)
	for i := range mean {
		mean[i] = r.Float32()
	}
	resize := spec.InputSize
	if spec.Family == blocks.FamilyImageNet {
		resize = resize * 8 / 7
	}
	m.Preprocessing = datasets.NewPreprocessing(3, spec.InputSize, resize, datasets.Normalizer{Kind: datasets.PixelMean, Mean: mean})
	m.Classes = []string{"ant", "bee", "cat"}
	return m
}

// TestAMeanImageThatIsDividedStaysSo where its mean over each channel takes its place.
func TestAMeanImageThatIsDividedStaysSo(t *testing.T) {
	m := &Model{Spec: blocks.Spec{InputChannels: 2, InputSize: 1}}
	m.Preprocessing.Normalizer = datasets.Normalizer{Kind: datasets.PixelMean, Mean: []float32{1, 3, 5, 7}, Std: []float32{0.5, 0.25}}
	n := m.normalizerFor(1, 2, true)
	if n.Kind != datasets.ChannelMeanStd || !slices.Equal(n.Mean, []float32{2, 6}) || !slices.Equal(n.Std, []float32{0.5, 0.25}) {
		t.Errorf("%+v", n)
	}
}

// alone runs one view [3, H, W] through a graph that was made for nothing else.
func alone(t *testing.T, m *Model, x []float32, build func() (*graph.Graph, error)) []float64 {
	t.Helper()
	g, err := build()
	if err != nil {
		t.Fatal(err)
	}
	machine, err := graph.NewTape(g, m.Params)
	if err != nil {
		t.Fatal(err)
	}
	defer machine.Close()
	logits, err := machine.Infer(x, 1)
	if err != nil {
		t.Fatal(err)
	}
	var out []float64
	for _, z := range logits {
		out = append(out, float64(z))
	}
	return out
}

// cropByHand is a rectangle of a picture as floats, less the mean image (or less flat, where that
// is not nil), reversed by flip.
func cropByHand(m *Model, p datasets.Picture, x0, y0, w, h int, flip bool, flat []float64) []float32 {
	x := make([]float32, 3*w*h)
	for c := range 3 {
		for y := range h {
			for i := range w {
				mean := 0.0
				if flat != nil {
					mean = flat[c]
				} else {
					mean = float64(m.Preprocessing.Mean[(c*h+y)*w+i])
				}
				v := float32(float64(p.Pix[((y0+y)*p.Width+x0+i)*3+c])/255 - mean)
				to := i
				if flip {
					to = w - 1 - i
				}
				x[(c*h+y)*w+to] = v
			}
		}
	}
	return x
}

// average is the mean of logits, or the logarithm of the mean probability, written out.
func average(views [][]float64, combine Combine) []float64 {
	out := make([]float64, len(views[0]))
	for _, z := range views {
		sum := 0.0
		for _, v := range z {
			sum += math.Exp(v)
		}
		for c, v := range z {
			if combine == CombineLogits {
				out[c] += v / float64(len(views))
			} else {
				out[c] += math.Exp(v) / sum / float64(len(views))
			}
		}
	}
	if combine != CombineLogits {
		for c := range out {
			out[c] = math.Log(out[c])
		}
	}
	return out
}

// centre is half of a margin, rounded to even as Python's round does.
func centre(margin int) int { return int(math.RoundToEven(float64(margin) / 2)) }

func tenCropsByHand(t *testing.T, m *Model, p datasets.Picture, combine Combine) []float64 {
	s := m.Spec.InputSize
	p = p.ResizeShorter(int(math.Round(float64(s) * 256 / 224)))
	var views [][]float64
	for _, flip := range []bool{false, true} {
		for _, at := range [][2]int{{0, 0}, {p.Width - s, 0}, {0, p.Height - s}, {p.Width - s, p.Height - s}, {centre(p.Width - s), centre(p.Height - s)}} {
			x := cropByHand(m, p, at[0], at[1], s, s, flip, nil)
			views = append(views, alone(t, m, x, func() (*graph.Graph, error) { return blocks.Build(m.Spec, 1, graph.Eval, m.Params) }))
		}
	}
	return average(views, combine)
}

func scalesByHand(t *testing.T, m *Model, p datasets.Picture, scales []int, combine Combine) []float64 {
	flat := make([]float64, 3)
	per := m.Spec.InputSize * m.Spec.InputSize
	for i, v := range m.Preprocessing.Mean {
		flat[i/per] += float64(v) / float64(per)
	}
	var views [][]float64
	for _, s := range scales {
		r := p.ResizeShorter(s)
		if min(r.Width, r.Height) != s {
			t.Fatalf("%dx%d at a shorter side of %d is %dx%d", p.Width, p.Height, s, r.Width, r.Height)
		}
		for _, flip := range []bool{false, true} {
			x := cropByHand(m, r, 0, 0, r.Width, r.Height, flip, flat)
			views = append(views, alone(t, m, x, func() (*graph.Graph, error) { return blocks.BuildDense(m.Spec, 1, r.Height, r.Width, m.Params) }))
		}
	}
	return average(views, combine)
}

// measuredViews runs EvaluateViews and keeps every image's scores.
func measuredViews(t *testing.T, m *Model, ds *datasets.Dataset, p Protocol, batch, workers int) (Metrics, [][]float32) {
	t.Helper()
	var all [][]float32
	metrics, err := EvaluateViews(t.Context(), m, ds, p, EvaluateOptions{Split: datasets.Test, ScorerOptions: ScorerOptions{Factory: tape, Batch: batch, Workers: workers}},
		func(im Image) error {
			if im.Index != len(all) {
				t.Errorf("image %d is observed after %d images", im.Index, len(all))
			}
			all = append(all, slices.Clone(im.Logits))
			return nil
		})
	if err != nil {
		t.Fatal(err)
	}
	return metrics, all
}

func near(t *testing.T, what string, got []float32, want []float64) {
	t.Helper()
	for c, w := range want {
		if math.Abs(float64(got[c])-w) > 2e-5*(1+math.Abs(w)) {
			t.Errorf("%s: class %d: %v, want %v", what, c, got[c], w)
			return
		}
	}
}

func TestTenCropsAreTheMeanOfTenForwardPasses(t *testing.T) {
	ds := photographs(t)
	m := tiny(t, "tiny-imagenet-stem", 3)
	for _, combine := range []Combine{CombineSoftmax, CombineLogits} {
		p, err := ViewOptions{Crops: CropsTen, Combine: combine}.Protocol(m)
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("10 views, 21x21 of shorter side 24, %s averaged", combine); p.String() != want {
			t.Errorf("protocol %q, want %q", p, want)
		}
		metrics, scores := measuredViews(t, m, ds, p, 7, 3)
		wrong := 0
		for i := range ds.Len(datasets.Test) {
			pic, err := ds.Picture(datasets.Test, i)
			if err != nil {
				t.Fatal(err)
			}
			want := tenCropsByHand(t, m, pic, combine)
			near(t, fmt.Sprintf("%s, image %d", combine, i), scores[i], want)
			if argmax(want) != ds.Label(datasets.Test, i) {
				wrong++
			}
		}
		if want := 100 * float64(wrong) / 9; math.Abs(metrics.Top1Error-want) > 1e-9 || metrics.N != 9 {
			t.Errorf("%s: top-1 error %v of %d images, want %v of 9", combine, metrics.Top1Error, metrics.N, want)
		}
	}
}

func TestScalesAreTheMeanOfDenseForwardPasses(t *testing.T) {
	ds := photographs(t)
	for _, name := range []string{"tiny-imagenet-stem", "tiny-b"} {
		m := tiny(t, name, 4)
		for _, combine := range []Combine{CombineSoftmax, CombineLogits} {
			p, err := ViewOptions{Crops: CropsFull, Scales: []int{21, 26}, Combine: combine}.Protocol(m)
			if err != nil {
				t.Fatal(err)
			}
			if want := fmt.Sprintf("fully convolutional, shorter side 21/26 with flips, %s averaged, channel means for the mean image", combine); p.String() != want {
				t.Errorf("protocol %q, want %q", p, want)
			}
			_, scores := measuredViews(t, m, ds, p, 250, 2)
			for i := range ds.Len(datasets.Test) {
				pic, err := ds.Picture(datasets.Test, i)
				if err != nil {
					t.Fatal(err)
				}
				near(t, fmt.Sprintf("%s, %s, image %d", name, combine, i), scores[i], scalesByHand(t, m, pic, p.Scales, combine))
			}
		}
	}
}

func TestAnEnsembleOfDifferentNetsIsTheMeanOfTheirMeans(t *testing.T) {
	ds := photographs(t)
	nets := []*Model{tiny(t, "tiny-imagenet-stem", 6), tiny(t, "tiny-bottleneck", 7)}
	for _, combine := range []Combine{CombineSoftmax, CombineLogits} {
		e, err := NewEnsemble(9, 10, combine)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range nets {
			p, err := ViewOptions{Crops: CropsTen, Combine: combine}.Protocol(m)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := EvaluateViews(t.Context(), m, ds, p, EvaluateOptions{Split: datasets.Test, ScorerOptions: ScorerOptions{Factory: tape, Batch: 8}}, e.Member()); err != nil {
				t.Fatal(err)
			}
		}
		seen := 0
		if _, err := e.Metrics(nil, func(im Image) error {
			seen++
			pic, err := ds.Picture(datasets.Test, im.Index)
			if err != nil {
				return err
			}
			var members [][]float64
			for _, m := range nets {
				members = append(members, tenCropsByHand(t, m, pic, combine))
			}
			near(t, fmt.Sprintf("%s, image %d", combine, im.Index), im.Logits, average(members, combine))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if seen != 9 {
			t.Errorf("%d images, want 9", seen)
		}
	}
}

func TestBatchesAndWorkersChangeNoScore(t *testing.T) {
	ds := photographs(t)
	m := tiny(t, "tiny-bottleneck", 8)
	for _, l := range []ViewOptions{{Crops: CropsOne, Combine: CombineSoftmax}, {Crops: CropsTen, Combine: CombineSoftmax}, {Crops: CropsFull, Combine: CombineSoftmax}} {
		p, err := l.Protocol(m)
		if err != nil {
			t.Fatal(err)
		}
		wantMetrics, want := measuredViews(t, m, ds, p, 1, 1)
		for _, c := range [][2]int{{3, 2}, {250, 5}} {
			metrics, scores := measuredViews(t, m, ds, p, c[0], c[1])
			if d := cmp.Diff(want, scores); d != "" {
				t.Errorf("%s, batch %d, %d workers (-batch 1 +now):\n%s", p, c[0], c[1], d)
			}
			if d := cmp.Diff(wantMetrics, metrics); d != "" {
				t.Errorf("%s, batch %d, %d workers (-batch 1 +now):\n%s", p, c[0], c[1], d)
			}
		}
	}
}

func TestTheImageAndItsMirrorImage(t *testing.T) {
	ds := photographs(t)
	m := tiny(t, "tiny-a", 9)
	p, err := ViewOptions{Crops: CropsFull, Combine: CombineSoftmax}.ProtocolFixed(m, ds.Info())
	if err != nil {
		t.Fatal(err)
	}
	if p.String() != "image and mirror image, 9x9, softmax averaged" {
		t.Errorf("protocol %q", p)
	}
	buf := make([]byte, 3*9*9)
	_, err = EvaluateViews(t.Context(), m, ds, p, EvaluateOptions{Split: datasets.Test, ScorerOptions: ScorerOptions{Factory: tape, Batch: 8}}, func(im Image) error {
		if _, err := ds.Image(datasets.Test, im.Index, buf); err != nil {
			return err
		}
		pic := datasets.Picture{Width: 9, Height: 9, Pix: make([]byte, len(buf))}
		for i, v := range buf {
			pic.Pix[i%81*3+i/81] = v
		}
		var views [][]float64
		for _, flip := range []bool{false, true} {
			views = append(views, alone(t, m, cropByHand(m, pic, 0, 0, 9, 9, flip, nil), func() (*graph.Graph, error) { return blocks.Build(m.Spec, 1, graph.Eval, m.Params) }))
		}
		near(t, fmt.Sprint("image ", im.Index), im.Logits, average(views, CombineSoftmax))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestImpossibleProtocolsAreExplained(t *testing.T) {
	m := tiny(t, "tiny-a", 1)
	grey := datasets.Info{Name: "mnist", Channels: 1, Height: 9, Width: 9}
	colour := datasets.Info{Name: "cifar10", Channels: 3, Height: 9, Width: 9}
	for says, f := range map[string]func() (Protocol, error){
		`--crops "5"`:     func() (Protocol, error) { return ViewOptions{Crops: "5", Combine: CombineSoftmax}.Protocol(m) },
		`--combine "max"`: func() (Protocol, error) { return ViewOptions{Crops: "1", Combine: "max"}.Protocol(m) },
		"are for --crops full": func() (Protocol, error) {
			return ViewOptions{Crops: "10", Scales: []int{9}, Combine: CombineSoftmax}.Protocol(m)
		},
		"--scales 0": func() (Protocol, error) {
			return ViewOptions{Crops: "full", Scales: []int{0}, Combine: CombineSoftmax}.Protocol(m)
		},
		"--scales 12": func() (Protocol, error) {
			return ViewOptions{Crops: "full", Scales: []int{12, 12}, Combine: CombineSoftmax}.Protocol(m)
		},
		"tiny-a needs 9": func() (Protocol, error) {
			return ViewOptions{Crops: "full", Scales: []int{8}, Combine: CombineSoftmax}.Protocol(m)
		},
		"no ten crops": func() (Protocol, error) {
			return ViewOptions{Crops: "10", Combine: CombineSoftmax}.ProtocolFixed(m, colour)
		},
		"leave --scales out": func() (Protocol, error) {
			return ViewOptions{Crops: "full", Scales: []int{12}, Combine: CombineSoftmax}.ProtocolFixed(m, grey)
		},
	} {
		if _, err := f(); !errors.Is(err, ErrProtocol) || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want ErrProtocol and %q", err, says)
		}
	}
	// The paper's 224, 256, 384, 480 and 640 in proportion, each once.
	for size, want := range map[int][]int{9: {9, 10, 15, 19, 26}, 3: {3, 5, 6, 9}} {
		m.Spec.InputSize = size
		p, err := ViewOptions{Crops: CropsFull, Combine: CombineSoftmax}.Protocol(m)
		if err != nil || !slices.Equal(p.Scales, want) {
			t.Errorf("scales of an input of %d: %v, %v", size, p.Scales, err)
		}
	}
}

// TestImagesOfOneSizeAreResizedAsTheTrainingDid: 9 pixels of a shorter side of 11, and blocks
// averaged.
func TestImagesOfOneSizeAreResizedAsTheTrainingDid(t *testing.T) {
	m := tiny(t, "tiny-a", 1)
	info := datasets.Info{Name: "cifar10", Channels: 3, Height: 9, Width: 9}
	for want, change := range map[string]func(*datasets.Preprocessing){
		"1 view, 9x9":                    func(*datasets.Preprocessing) {},
		"1 view, 9x9 of shorter side 11": func(v *datasets.Preprocessing) { v.Resize = 11 },
		"1 view, 9x9 of shorter side 22, blocks of 2x2 averaged": func(v *datasets.Preprocessing) { v.Size, v.Resize, v.Downsample = 18, 22, 2 },
	} {
		n := *m
		change(&n.Preprocessing)
		p, err := ViewOptions{Crops: CropsOne, Combine: CombineSoftmax}.For(&n, info)
		if err != nil || p.String() != want {
			t.Errorf("%q (%v), want %q", p, err, want)
		}
	}
}

func TestALongPictureIsRefusedBeforeItIsResized(t *testing.T) {
	m := tiny(t, "tiny-a", 1)
	long := datasets.Picture{Width: 100_000, Height: 2, Pix: make([]byte, 600_000)}
	for _, l := range []ViewOptions{{Crops: CropsTen, Combine: CombineSoftmax}, {Crops: CropsFull, Scales: []int{640}, Combine: CombineSoftmax}} {
		p, err := l.Protocol(m)
		if err != nil {
			t.Fatal(err)
		}
		p.Resize *= 30
		if _, err := PictureCuts(p, m.Preprocessing, func(int) (datasets.Picture, error) { return long, nil })(0); !errors.Is(err, datasets.ErrData) {
			t.Errorf("%s: error %v, want ErrData", p, err)
		}
	}
}

func TestAnImageThatDoesNotReadEndsTheEvaluation(t *testing.T) {
	m := tiny(t, "tiny-b", 2)
	p, err := ViewOptions{Crops: CropsTen, Combine: CombineSoftmax}.Protocol(m)
	if err != nil {
		t.Fatal(err)
	}
	bad := errors.New("bad image")
	s := NewScorer(m, p, ScorerOptions{Factory: tape, Batch: 4, Workers: 3})
	defer s.Close()
	pic := datasets.Picture{Width: 12, Height: 12, Pix: make([]byte, 3*12*12)}
	err = s.Score(t.Context(), 40, PictureCuts(p, m.Preprocessing, func(i int) (datasets.Picture, error) {
		if i == 17 {
			return datasets.Picture{}, bad
		}
		return pic, nil
	}), func(int, []float32) error { return nil })
	if !errors.Is(err, bad) {
		t.Errorf("error %v, want that of image 17", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err = s.Score(ctx, 40, PictureCuts(p, m.Preprocessing, func(int) (datasets.Picture, error) { return pic, nil }), func(int, []float32) error { return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v", err)
	}
}
