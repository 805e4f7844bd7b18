package experiment

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"resnet/configs"
	"resnet/internal/blocks"
	"resnet/internal/config"
	"resnet/internal/datasets"
	"resnet/internal/datasets/speech"
	"resnet/internal/datasets/speech/corpus"
	"resnet/internal/eval"
	"resnet/internal/graph/weights"
)

// numbers are the keys of a section that hold a number or a list of them, by their kinds.
func numbers(t reflect.Type, prefix string, keys map[string]reflect.Kind) map[string]reflect.Kind {
	for i := range t.NumField() {
		f := t.Field(i)
		path := prefix + f.Tag.Get("mapstructure")
		switch k := f.Type.Kind(); k {
		case reflect.Struct:
			numbers(f.Type, path+".", keys)
		case reflect.Int, reflect.Int64, reflect.Uint64, reflect.Float64, reflect.Slice:
			keys[path] = k
		}
	}
	return keys
}

// digits makes a folder of spoken digits from the two that are there.
func digits(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"3_theo", "6_jackson"} {
		data, err := os.ReadFile(filepath.Join("../../testdata/speech", map[string]string{"3_theo": "3_theo_12.wav", "6_jackson": "6_jackson_7.wav"}[name]))
		if err != nil {
			t.Fatal(err)
		}
		for i := range 8 {
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s_%d.wav", name, i)), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

// base is a configuration that plans a training in a moment, and the section of it that is tried.
type base struct {
	section string
	sets    []string
}

func bases(t testing.TB) map[string]base {
	images := []string{"model.name=", "model.family=cifar", "model.depth=8", "model.residual=true", "data.name=fashion-sample", "data.downsample=2", "data.normalize=none"}
	with := func(sets ...string) base { return base{"train.", append(slices.Clone(images), sets...)} }
	return map[string]base{
		"images": {"", images},
		"speech": {"", []string{
			"model.name=wrbn", "data.name=fsdd", "data.dir=" + digits(t), "speech.test_speakers=theo", "speech.frontend.rate=8000", "speech.frontend.bins=20",
			"data.normalize=none", "train.batch=2", "model.speech.widths=[4]", "model.speech.depths=[1]", "model.speech.units=4",
		}},
		"plateau and Adam":   with("train.optimizer.name=adam", "train.schedule.plateau.factor=0.1", "train.epochs=3"),
		"cosine and warm-up": with("train.schedule.cosine.enabled=true", "train.schedule.warmup.rate=0.01", "train.schedule.warmup.iterations=5"),
		"drops":              with("train.schedule.drop.at=[5, 7]"),
	}
}

// planned goes from text to the estimate of memory, with everything resolved and nothing of the
// network made.
func planned(l *config.Loaded, open DataSets) error {
	x, err := New(context.Background(), &Environment{}, l, 1, open)
	if err != nil {
		return err
	}
	x.Plan.Evaluations(0)
	return x.CheckLeastMemory(0)
}

// Bounds of planning with any number: what it may allocate, in bytes, and take.
const (
	planBytes = 64 << 20
	planTime  = 20 * time.Second // an idle machine takes a thousandth
)

// bounded runs f within the bounds of planning.
func bounded(t testing.TB, what string, f func() error) error {
	t.Helper()
	return within(t, what, planBytes, planTime, f)
}

// within runs f, which may allocate and take so much.
func within(t testing.TB, what string, most uint64, long time.Duration, f func() error) error {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	err := f()
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > most {
		t.Errorf("%s: %d bytes were allocated (%v)", what, n, err)
	}
	if took > long {
		t.Errorf("%s: it took %v (%v)", what, took, err)
	}
	return err
}

// TestEveryNumberOfAConfigurationHasABound sets each key that holds a number to what no machine and
// no training can do: it is refused by its name, or the plan stands.
func TestEveryNumberOfAConfigurationHasABound(t *testing.T) {
	inGroup(t, "3000000000")
	keys := numbers(reflect.TypeFor[config.Config](), "", map[string]reflect.Kind{})
	if len(keys) < 60 || keys["speech.frontend.bins"] != reflect.Int || keys["train.schedule.drop.at"] != reflect.Slice {
		t.Fatalf("the keys are not found: %v", keys)
	}
	for name, base := range bases(t) {
		open := NewDataSets()
		if l, err := config.Load(config.Input{Sets: base.sets}); err != nil || planned(l, open) != nil {
			t.Fatalf("%s: %v, %v", name, err, planned(l, open))
		}
		for key, kind := range keys {
			if !strings.HasPrefix(key, base.section) {
				continue
			}
			values := []string{strconv.Itoa(math.MaxInt64), "1000000000", "-1", "0"}
			if kind == reflect.Float64 {
				values = []string{"1.7e308", "1e39", "-1e39", "0", "1e-300", "0.99999999999999"}
			}
			for _, v := range values {
				if kind == reflect.Slice {
					v = "[" + v + "]"
				}
				set := key + "=" + v
				err := bounded(t, name+" "+set, func() error {
					l, err := config.Load(config.Input{Sets: append(slices.Clone(base.sets), set)})
					if err != nil {
						return err
					}
					return planned(l, open)
				})
				if err != nil && !strings.Contains(err.Error(), key) && !named(err, key) {
					t.Errorf("%s: %s: %v", name, set, err)
				}
			}
		}
	}
}

// named reports whether an error names what a key is with: another key that it goes together with,
// or the flag or section that says the same.
func named(err error, key string) bool {
	for with, words := range map[string][]string{
		"model.depth": {"model.depth"}, "train.optimizer.head_rate": {"train.schedule.rate"}, "train.schedule.drop.factor": {"train.schedule.rate"},
		"train.schedule.plateau.factor": {"train.schedule"}, "train.schedule.warmup": {"train.schedule.warmup"}, "train.schedule.rate": {"train.schedule.cosine"},
		"speech.frontend.shift_ms": {"speech.frontend.length_ms"}, "speech.frontend.high": {"speech.frontend.low"}, "train.iterations": {"train.epochs"},
		"data.augment.shorter_max": {"data.augment.shorter_min"}, "model.input": {"train.batch"}, "model.classes": {"train.batch", "eval.batch"}, "speech.frontend": {"speech.frontend"},
		"train.accumulate": {"train.accumulate"}, "data.downsample": {"data.downsample", "downsample"}, "model.speech": {"model.speech", "train.batch"},
		"data.limit": {"train.batch"}, "data.validation": {"data.validation", "validation"}, "train.schedule.warmup.rate": {"train.schedule.rate"},
	} {
		if strings.HasPrefix(key, with) && slices.ContainsFunc(words, func(w string) bool { return strings.Contains(err.Error(), w) }) {
			return true
		}
	}
	return false
}

func TestABatchOfUtterancesIsRefusedBeforeItIsDrawn(t *testing.T) {
	inGroup(t, "3000000000")
	m := smallSpeech(t, blocks.OutputFrame)
	for _, n := range []int{1_000_000_000, 10_000_000} {
		err := bounded(t, strconv.Itoa(n), func() error {
			_, err := m.applied(m.Spec, 1, corpus.Shape{N: n, Frames: 50})
			return err
		})
		if !isUsage(err) || !strings.HasPrefix(err.Error(), "--batch: ") {
			t.Errorf("%d: %v", n, err)
		}
	}
}

// deepBytes is what planning a network of 20,000 layers, the deepest, may allocate.
const deepBytes = 256 << 20

// FuzzPlan: whatever a configuration says, it is refused or planned, up to the estimate of memory,
// within the bounds of planning. The data are those of the tests.
func FuzzPlan(f *testing.F) {
	for _, name := range configs.Names() {
		src, err := configs.Find(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(src.Data))
	}
	for _, text := range []string{
		"speech: {frontend: {bins: 9223372036854775807}}\nmodel: {name: wrbn}\ndata: {name: fsdd}\n",
		"model: {name: wrbn, speech: {units: 1000000000, widths: [1, -1]}}\ndata: {name: fsdd}\neval: {batch: 2147483647}\n",
		"train: {batch: 2, accumulate: 1048576, iterations: 1099511627776, schedule: {rate: 1e308}}\neval: {every_epochs: 1048576}\n",
		"data: {name: fashion-sample, workers: 2147483647, downsample: 28, limit: 1}\nmodel: {family: cifar, depth: 20000}\n",
	} {
		f.Add(text)
	}
	dir, path := digits(f), filepath.Join(f.TempDir(), "fuzz.yaml")
	inGroup(f, "3000000000")
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		open := NewDataSets()
		_ = within(t, "a plan", deepBytes, 10*time.Second, func() error {
			l, err := config.Load(config.Input{File: path})
			if err != nil {
				return err
			}
			l.Data.Dir, l.Data.Labels, l.Speech.Labels, l.Speech.Alignments, l.Speech.ValDir, l.Speech.TestDir, l.Model.Weights = dir, "", "", "", "", "", ""
			if datasets.IsSpeech(l.Data.Name) {
				l.Data.Name = "fsdd"
			} else {
				l.Data.Name, l.Data.Normalize = "fashion-sample", datasets.NoNormalizing
			}
			return planned(l, open)
		})
	})
}

// FuzzCheckpoint: whatever the metadata of a checkpoint of speech say, it is refused as a bad file,
// or its front end is one, its priors are finite, and the memory of applying it is known.
func FuzzCheckpoint(f *testing.F) {
	m := smallSpeech(f, blocks.OutputFrame)
	arch, err := json.Marshal(m.Spec)
	if err != nil {
		f.Fatal(err)
	}
	tensors := weights.FromParams(m.Params)
	const plain = `{"kind":"none"}`
	f.Add(string(arch), plain, m.Frontend, "[1,2,3,4]")
	f.Add(string(arch), `{"kind":"pixel-mean","size":9223372036854775807,"downsample":-1}`, m.Frontend, "[-1,9223372036854775807,0,0]")
	for _, change := range [][2]string{{`"bins":6`, `"bins":1000000000`}, {`"rate":16000`, `"rate":9223372036854775807`}, {`"shift_ms":10`, `"shift_ms":1e-300`}, {`"low":20`, `"low":1e308`}} {
		f.Add(string(arch), plain, strings.Replace(m.Frontend, change[0], change[1], 1), "[]")
	}
	f.Add(strings.Replace(string(arch), `"features":6`, `"features":9223372036854775807`, 1), plain, m.Frontend, "null")
	inGroup(f, "3000000000")
	f.Fuzz(func(t *testing.T, arch, preprocessing, frontend, counts string) {
		var b bytes.Buffer
		meta := map[string]string{
			"resnet.format": "1", "resnet.step": "1", "resnet.arch": arch, "resnet.preprocessing": preprocessing, "resnet.frontend": frontend, "resnet.class_counts": counts,
		}
		if weights.Write(&b, tensors, meta) != nil {
			return // text that is no UTF-8
		}
		err := bounded(t, "a checkpoint", func() error {
			file, err := weights.New(bytes.NewReader(b.Bytes()), int64(b.Len()), "fuzz")
			if err != nil {
				return err
			}
			read, err := eval.ReadModel(file)
			if err != nil {
				return err
			}
			net := &Model{Model: read, Named: "fuzz", env: &Environment{}}
			front, err := net.frontend()
			if err != nil {
				return err
			}
			for _, p := range eval.LogPriors(net.ClassCounts) {
				if math.IsNaN(p) || math.IsInf(p, 0) {
					t.Fatalf("the prior %v of %s", p, counts)
				}
			}
			_ = sequencerOptions{spec: net.Spec}.least([]corpus.Shape{{N: math.MaxInt32, Frames: blocks.MaxFrames}})
			if _, err := front.Fbank().Compute(speech.Audio{Rate: front.Rate, Channels: [][]float32{make([]float32, 4000)}}); err != nil && !errors.Is(err, datasets.ErrData) && !errors.Is(err, datasets.ErrConfig) {
				t.Fatalf("%v has no class", err)
			}
			return nil
		})
		if err != nil && !errors.Is(err, eval.ErrModel) && !errors.Is(err, weights.ErrMismatch) && !errors.Is(err, weights.ErrFormat) {
			t.Fatalf("error %v has no class", err)
		}
	})
}
