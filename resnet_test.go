package resnet_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"resnet"
)

const checkpoint = "testdata/classifier/fashion8.safetensors"

func open(t *testing.T, o resnet.Options) *resnet.Network {
	t.Helper()
	net, err := resnet.Open(checkpoint, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(net.Close)
	return net
}

// pictures are images of several kinds and sizes.
func pictures() []image.Image {
	var all []image.Image
	for i := range 6 {
		r := image.Rect(i, 0, 28+7*i, 28+3*i)
		m := image.NewNRGBA(r)
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				m.Set(x, y, color.NRGBA{uint8(x * y), uint8(9*x + 31*i), uint8(5 * y), 255})
			}
		}
		all = append(all, m)
	}
	return all
}

// TestManyGoroutinesGetTheLogitsOfOne to the bit, with any number of threads.
func TestManyGoroutinesGetTheLogitsOfOne(t *testing.T) {
	imgs := pictures()
	var logits, features [][]float32
	alone := open(t, resnet.Options{Threads: 1})
	for _, img := range imgs {
		l, err := alone.Logits(t.Context(), img)
		f, err2 := alone.Embed(t.Context(), img)
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		logits, features = append(logits, l), append(features, f)
	}
	if slices.Equal(logits[0], logits[1]) || slices.Equal(features[0], features[1]) {
		t.Fatal("two images are alike")
	}
	net := open(t, resnet.Options{Threads: 2})
	batched := open(t, resnet.Options{Batch: 4})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for k := range 12 {
				i := (g + k) % len(imgs)
				l, err := net.Logits(t.Context(), imgs[i])
				f, err2 := net.Embed(t.Context(), imgs[i])
				if errors.Join(err, err2) != nil || !slices.Equal(l, logits[i]) || !slices.Equal(f, features[i]) {
					t.Errorf("image %d: %v, %v", i, l, errors.Join(err, err2))
					return
				}
				l, err = batched.Logits(t.Context(), imgs[i])
				if err != nil || !near(l, logits[i]) {
					t.Errorf("image %d in a batch: %v, %v, want %v", i, l, err, logits[i])
					return
				}
			}
		})
	}
	wg.Wait()
}

func near(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Abs(float64(x-y)) <= 1e-4*(1+math.Abs(float64(y))) })
}

// TestClassesAreTheLogits by a softmax written out.
func TestClassesAreTheLogits(t *testing.T) {
	net := open(t, resnet.Options{})
	data, err := os.ReadFile("testdata/classifier/boot.png")
	if err != nil {
		t.Fatal(err)
	}
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	logits, err := net.Logits(t.Context(), img)
	if err != nil {
		t.Fatal(err)
	}
	var sum float64
	for _, z := range logits {
		sum += math.Exp(float64(z))
	}
	all, err := net.Classify(t.Context(), img, 100)
	if err != nil || len(all) != 10 {
		t.Fatalf("%v, %v", all, err)
	}
	for i, c := range all {
		if want := math.Exp(float64(logits[c.Index])) / sum; math.Abs(c.Probability-want) > 1e-9 || i > 0 && c.Probability > all[i-1].Probability || c.Name != net.Classes()[c.Index] {
			t.Errorf("%+v, want %v of %q", c, want, net.Classes()[c.Index])
		}
	}
	fromFile, err := net.ClassifyFile(t.Context(), bytes.NewReader(data), 100)
	if err != nil || !slices.Equal(fromFile, all) {
		t.Errorf("of the file %v, %v, of the image %v", fromFile, err, all)
	}
}

func TestErrorsCanBeTold(t *testing.T) {
	if _, err := resnet.Open("testdata/nowhere.safetensors", resnet.Options{}); !errors.Is(err, resnet.ErrMissing) {
		t.Errorf("%v", err)
	}
	if _, err := resnet.Open("testdata/classifier/boot.png", resnet.Options{}); !errors.Is(err, resnet.ErrFormat) {
		t.Errorf("%v", err)
	}
	net := open(t, resnet.Options{})
	if _, err := net.ClassifyFile(t.Context(), bytes.NewReader([]byte("no image")), 1); !errors.Is(err, resnet.ErrImage) {
		t.Errorf("%v", err)
	}
	if _, err := net.Classify(t.Context(), image.NewGray(image.Rect(0, 0, 1, 500)), 1); !errors.Is(err, resnet.ErrImage) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := net.Embed(ctx, pictures()[0]); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	net.Close()
	net.Close()
	if _, err := net.Logits(t.Context(), pictures()[0]); !errors.Is(err, resnet.ErrClosed) {
		t.Errorf("%v", err)
	}
	if _, err := net.Embed(t.Context(), pictures()[0]); !errors.Is(err, resnet.ErrClosed) {
		t.Errorf("%v", err)
	}
	never := open(t, resnet.Options{}) // asked for features before it is closed
	never.Close()
	if _, err := never.Embed(t.Context(), pictures()[0]); !errors.Is(err, resnet.ErrClosed) {
		t.Errorf("features first asked for when it is closed: %v", err)
	}
}

// A backbone without a classifier embeds, and classifies nothing.
func TestABackboneHasFeaturesAlone(t *testing.T) {
	b, err := os.ReadFile(checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	path := t.TempDir() + "/backbone.safetensors"
	if err := os.WriteFile(path, behead(t, b), 0o644); err != nil {
		t.Fatal(err)
	}
	net, err := resnet.Open(path, resnet.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer net.Close()
	img := pictures()[0]
	got, err := net.Embed(t.Context(), img)
	want, err2 := open(t, resnet.Options{}).Embed(t.Context(), img)
	if err := errors.Join(err, err2); err != nil || !slices.Equal(got, want) {
		t.Errorf("%d features of a backbone differ (%v)", len(got), err)
	}
	if _, err := net.Classify(t.Context(), img, 1); err == nil || !strings.Contains(err.Error(), "no classifier") {
		t.Errorf("classified: %v", err)
	}
}

// behead takes the classifier out of a file of safetensors, as an imported backbone has none.
func behead(t *testing.T, b []byte) []byte {
	t.Helper()
	header, data := b[8:8+binary.LittleEndian.Uint64(b)], b[8+binary.LittleEndian.Uint64(b):]
	entries := map[string]map[string]any{}
	if err := json.Unmarshal(header, &entries); err != nil {
		t.Fatal(err)
	}
	var kept []byte
	names := slices.Sorted(maps.Keys(entries))
	for _, name := range names {
		e := entries[name]
		switch {
		case name == "__metadata__":
			e["resnet.classifier"] = "none"
			delete(e, "resnet.classes")
		case strings.HasPrefix(name, "fc."):
			delete(entries, name)
		default:
			at := e["data_offsets"].([]any)
			begin := len(kept)
			kept = append(kept, data[int(at[0].(float64)):int(at[1].(float64))]...)
			e["data_offsets"] = []int{begin, len(kept)}
		}
	}
	header, err := json.Marshal(entries)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Concat(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header, kept)
}

func TestAPrecisionThatThereIsNotIsRefused(t *testing.T) {
	if net, err := resnet.Open(checkpoint, resnet.Options{Precision: "bfloat"}); err == nil || !strings.Contains(err.Error(), `did you mean "bfloat16"`) {
		t.Errorf("%v, %v", net, err)
	}
}
