package experiment

import (
	"bufio"
	"encoding/json"
	"errors"
	"image"
	"image/png"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"resnet/internal/blocks"
	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/graph"
	"resnet/internal/graph/weights"
)

// constantNet writes a network of pictures whose logits are the same for every picture.
func constantNet(t *testing.T, logits []float32, names []string) string {
	t.Helper()
	spec, err := blocks.Lookup("tiny-b")
	if err != nil {
		t.Fatal(err)
	}
	spec.Classes = len(logits)
	params := graph.NewParamSet(1)
	if _, err := blocks.Build(spec, 1, graph.Eval, params); err != nil {
		t.Fatal(err)
	}
	tensors := weights.FromParams(params)
	set := 0
	for _, tensor := range tensors {
		switch tensor.Name {
		case "fc.weight":
			clear(tensor.Data)
			set++
		case "fc.bias":
			set += copy(tensor.Data, logits)
		}
	}
	if set != 1+len(logits) {
		t.Fatalf("%d values of the classifier were set", set)
	}
	arch, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	meta := weights.Meta{Arch: string(arch), Classes: names, Preprocessing: eval.ImportedView(spec, datasets.Normalizer{Kind: datasets.NoNormalizing}).Encode()}
	path := filepath.Join(t.TempDir(), "net.safetensors")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(weights.Write(f, tensors, meta.Encode()), f.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

// classFolders writes a folder with so many test images of each class.
func classFolders(t *testing.T, counts map[string]int) string {
	t.Helper()
	dir := t.TempDir()
	for class, n := range counts {
		for i := range n {
			path := filepath.Join(dir, "test", class, strconv.Itoa(i)+".png")
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			f, err := os.Create(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(png.Encode(f, image.NewGray(image.Rect(0, 0, 12, 10))), f.Close()); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

func lines(t *testing.T, path string, names ...string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(strings.Join(names, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// constantLoss is the mean of log Σ exp(z) − z[label], written out.
func constantLoss(logits []float32, counts map[int]int) float64 {
	sum, n, total := 0.0, 0, 0.0
	for _, z := range logits {
		sum += math.Exp(float64(z))
	}
	for label, count := range counts {
		n += count
		total += float64(count) * (math.Log(sum) - float64(logits[label]))
	}
	return total / float64(n)
}

// TestAFolderWithHalfOfTheClassesIsMeasuredByName: the network's likeliest class is bee, which 4 of
// the 8 images are of. By position it would be output 1, eel.
func TestAFolderWithHalfOfTheClassesIsMeasuredByName(t *testing.T) {
	names := []string{"fly", "eel", "dog", "cat", "bee", "ant"}
	logits := []float32{0.5, 1, 0, -1, 3, 2}
	counts := map[string]int{"ant": 2, "bee": 4, "cat": 2}
	wantLoss := constantLoss(logits, map[int]int{5: 2, 4: 4, 3: 2})
	// Of the six logits cat's is the last, so the 2 of 8 are wrong among five.
	const wantTop1, wantTop5 = 50.0, 25.0

	for what, c := range map[string]struct {
		names    []string // in the checkpoint
		file     bool     // --classes-file
		listed   bool     // classes.txt beside the data
		sayPlace bool     // by position: a note says so
	}{
		"names in the checkpoint":               {names: names},
		"a file of names":                       {file: true},
		"a file of names, others in it":         {names: []string{"ant", "bee", "cat", "dog", "eel", "fly"}, file: true},
		"classes.txt":                           {listed: true, sayPlace: true},
		"a file of names, and also classes.txt": {file: true, listed: true},
	} {
		dir := classFolders(t, counts)
		o := MeasureOptions{Data: "folder", Dir: dir, Split: datasets.Test, Batch: 3, Threads: 1, View: oneView, Predictions: filepath.Join(t.TempDir(), "p.jsonl")}
		if c.file {
			o.ClassesFile = lines(t, filepath.Join(t.TempDir(), "names"), names...)
		}
		if c.listed {
			lines(t, filepath.Join(dir, "classes.txt"), names...)
		}
		var said []string
		m, err := Measure(t.Context(), &Environment{Say: func(line string) { said = append(said, line) }}, []string{constantNet(t, logits, c.names)}, o)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		r := m.Rows[0].Row
		if r.N != 8 || r.Top1Error != wantTop1 || r.Top5Error == nil || *r.Top5Error != wantTop5 || math.Abs(r.Loss-wantLoss) > 1e-6 {
			t.Errorf("%s: %+v, want top-1 %v, top-5 %v, loss %v", what, r, wantTop1, wantTop5, wantLoss)
		}
		if noted := slices.ContainsFunc(said, func(s string) bool { return strings.Contains(s, "does not name its classes") }); noted != c.sayPlace {
			t.Errorf("%s: notes %q", what, said)
		}
		if got := predictedLabels(t, o.Predictions); !maps.Equal(got, map[string]int{"5": 2, "4": 4, "3": 2}) {
			t.Errorf("%s: labels of the predictions %v", what, got)
		}
	}
}

// predictedLabels counts the labels in a file of predictions.
func predictedLabels(t *testing.T, path string) map[string]int {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	counts := map[string]int{}
	scan := bufio.NewScanner(f)
	scan.Buffer(nil, 1<<20)
	for scan.Scan() {
		var r struct{ Label int }
		if err := json.Unmarshal(scan.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		counts[strconv.Itoa(r.Label)]++
	}
	return counts
}

// TestThreeFoldersOfImageNetAreItsClasses: tench, English springer and cassette player are the
// outputs 0, 217 and 482 of a network of 1000 classes, named or not.
func TestThreeFoldersOfImageNetAreItsClasses(t *testing.T) {
	logits := make([]float32, 1000)
	logits[0], logits[1], logits[2], logits[217], logits[482] = 4, 1, 2, 6, 5
	dir := classFolders(t, map[string]int{"n01440764": 1, "n02102040": 2, "n02979186": 1})
	want := constantLoss(logits, map[int]int{0: 1, 217: 2, 482: 1})
	for _, names := range [][]string{nil, datasets.ClassNames("imagenet")} {
		o := MeasureOptions{Data: "folder", Dir: dir, Split: datasets.Test, Batch: 4, Threads: 1, View: oneView, Predictions: filepath.Join(t.TempDir(), "p.jsonl")}
		m, err := Measure(t.Context(), &Environment{}, []string{constantNet(t, logits, names)}, o)
		if err != nil {
			t.Fatal(err)
		}
		if r := m.Rows[0].Row; r.Top1Error != 50 || *r.Top5Error != 0 || math.Abs(r.Loss-want) > 1e-6 {
			t.Errorf("%+v, want top-1 50, top-5 0, loss %v", r, want)
		}
		if got := predictedLabels(t, o.Predictions); !maps.Equal(got, map[string]int{"0": 1, "217": 2, "482": 1}) {
			t.Errorf("labels %v, want 0, 217 and 482", got)
		}
	}
}

func TestNetworksThatCannotBeMeasuredAreRefused(t *testing.T) {
	logits := make([]float32, 6)
	dir := classFolders(t, map[string]int{"ant": 1, "bee": 1})
	tmp := t.TempDir()
	cannot := func(err error) bool { return errors.Is(err, eval.ErrModel) }
	isMissing := func(err error) bool {
		var missing *MissingError
		return errors.As(err, &missing)
	}
	for says, c := range map[string]struct {
		o  MeasureOptions
		is func(error) bool
	}{
		"name its classes with --classes-file FILE, or in classes.txt":  {MeasureOptions{Data: "folder", Dir: dir}, cannot},
		"5 names, and the network has 6 classes":                        {MeasureOptions{Data: "folder", Dir: dir, ClassesFile: lines(t, filepath.Join(tmp, "5"), "a", "b", "c", "d", "e")}, isUsage},
		"nowhere: no such file":                                         {MeasureOptions{Data: "folder", Dir: dir, ClassesFile: filepath.Join(tmp, "nowhere")}, isMissing},
		"it takes images of 3x9x9, and fashion-sample has 1x28x28":      {MeasureOptions{Data: "fashion-sample"}, cannot},
		"it has none of the data set's classes (ant, bee); its own are": {MeasureOptions{Data: "folder", Dir: dir, ClassesFile: lines(t, filepath.Join(tmp, "6"), "a", "b", "c", "d", "e", "f")}, cannot},
	} {
		c.o.Split, c.o.Batch, c.o.Threads, c.o.View = datasets.Test, 1, 1, oneView
		_, err := Measure(t.Context(), &Environment{}, []string{constantNet(t, logits, nil)}, c.o)
		if err == nil || !strings.Contains(err.Error(), says) || !c.is(err) {
			t.Errorf("error %v, want %q", err, says)
		}
	}
}

func TestAPredictionNamesTheClassesOfAFile(t *testing.T) {
	env := &Environment{}
	dir := classFolders(t, map[string]int{"x": 1})
	file := lines(t, filepath.Join(t.TempDir(), "names"), "ant\tof the order Hymenoptera", "bee ", "cat")
	for _, c := range []struct {
		file string
		want []string
	}{{"", []string{"", ""}}, {file, []string{"cat", "ant"}}} {
		net, err := OpenModel(env, constantNet(t, []float32{1, 0, 2}, nil))
		if err != nil {
			t.Fatal(err)
		}
		p, err := NewPredictor(net, PredictOptions{Top: 2, View: oneView, Batch: 1, Threads: 1, ClassesFile: c.file})
		if err != nil {
			t.Fatal(err)
		}
		norm := math.Exp(1) + 1 + math.Exp(2)
		if err := p.Files(t.Context(), []string{dir}, func(r Prediction) error {
			if len(r.Top) != 2 || r.Top[0].Class != 2 || r.Top[0].Name != c.want[0] || r.Top[1].Class != 0 || r.Top[1].Name != c.want[1] ||
				math.Abs(r.Top[0].Probability-math.Exp(2)/norm) > 1e-6 {
				t.Errorf("%+v, want %q", r.Top, c.want)
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
		p.Close()
	}
}
