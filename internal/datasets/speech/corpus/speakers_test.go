package corpus

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"resnet/internal/datasets"
	"resnet/internal/datasets/fault"
	"resnet/internal/datasets/speech"
)

// doubling is a transform that doubles the first value of a frame and adds 1 to the second.
func doubling(dim int) speech.Transform {
	t := speech.Transform{Dim: dim, Weight: make([]float32, dim*dim), Bias: make([]float32, dim)}
	for i := range dim {
		t.Weight[i*dim+i] = 1
	}
	t.Weight[0], t.Bias[1] = 2, 1
	return t
}

func TestUtterancesAreReadThroughTheTransformOfTheirSpeaker(t *testing.T) {
	dir := digits(t)
	plain, adapted := openDigits(t, datasets.Config{Dir: dir}, digitsConfig()), openDigits(t, datasets.Config{Dir: dir}, digitsConfig())
	must(t, adapted.Adapt(datasets.Test, "a.safetensors", map[string]speech.Transform{"bob": doubling(30)}))
	want, err := plain.Read(datasets.Test, 3, nil)
	must(t, err)
	got, err := adapted.Read(datasets.Test, 3, nil)
	must(t, err)
	for at := range want.Data {
		v := want.Data[at]
		switch at % 30 {
		case 0:
			v = float32(2 * v)
		case 1:
			v++
		}
		if got.Data[at] != v {
			t.Fatalf("value %d is %v, want %v", at, got.Data[at], v)
		}
	}
	a, err := plain.Read(datasets.Train, 0, nil)
	must(t, err)
	b, err := adapted.Read(datasets.Train, 0, nil)
	must(t, err)
	if !slices.Equal(a.Data, b.Data) {
		t.Error("another split changed")
	}
	err = adapted.Adapt(datasets.Test, "a.safetensors", map[string]speech.Transform{"ann": doubling(30), "cas": doubling(30)})
	if !errors.Is(err, fault.ErrData) || !strings.Contains(err.Error(), `a.safetensors: it has no transform for the speaker "bob"`) || !strings.Contains(err.Error(), "ann, cas") {
		t.Errorf("an unknown speaker: %v", err)
	}
	must(t, adapted.Adapt(datasets.Test, "a.safetensors", map[string]speech.Transform{"bob": doubling(20)}))
	if _, err := adapted.Read(datasets.Test, 0, nil); err == nil || !strings.Contains(err.Error(), adapted.ID(datasets.Test, 0)) {
		t.Errorf("a transform of another size: %v", err)
	}
}

func TestSpeakersComeFromAFile(t *testing.T) {
	o := openDigits(t, datasets.Config{}, digitsConfig())
	path := filepath.Join(t.TempDir(), "utt2spk")
	var text strings.Builder
	for i := range o.Len(datasets.Test) {
		text.WriteString(o.ID(datasets.Test, i) + " " + []string{"x", "y"}[i%2] + "\n")
	}
	must(t, os.WriteFile(path, []byte(text.String()), 0o600))
	must(t, o.NameSpeakers(datasets.Test, path))
	if got := o.Speakers(datasets.Test); !slices.Equal(got, []string{"x", "y"}) {
		t.Errorf("speakers %v", got)
	}
	if got := o.OfSpeaker(datasets.Test, "y"); !slices.Equal(got, []int{1, 3, 5, 7, 9, 11}) {
		t.Errorf("utterances of y: %v", got)
	}
	must(t, os.WriteFile(path, []byte("nobody x\n"), 0o600))
	if err := o.NameSpeakers(datasets.Test, path); !errors.Is(err, fault.ErrData) || !strings.Contains(err.Error(), o.ID(datasets.Test, 0)) {
		t.Errorf("a file without the utterances: %v", err)
	}
}

func TestEveryUtteranceOfASpeakerIsInEveryEpoch(t *testing.T) {
	c := digitsConfig()
	c.TestSpeakers = "ann,bob"
	o := openDigits(t, datasets.Config{}, c)
	only := o.OfSpeaker(datasets.Test, "ann")
	shapes := Shapes(o.Lengths(datasets.Test), 2, Limits{Utterances: 5})
	order := func(epoch int) (all []int) {
		l, err := o.NewLoader(LoaderOptions{Split: datasets.Test, Shapes: shapes, Maps: 3, Every: true, Only: only, Seed: 4, StartEpoch: epoch})
		must(t, err)
		defer l.Close()
		for {
			b, err := l.Next(t.Context())
			must(t, err)
			if b.Epoch != epoch {
				return all
			}
			all = append(all, b.Index...)
		}
	}
	first, second := order(0), order(1)
	if slices.Equal(first, second) {
		t.Error("two epochs have the same order")
	}
	if !slices.Equal(first, order(0)) {
		t.Error("an epoch has two orders")
	}
	for _, got := range [][]int{first, second} {
		slices.Sort(got)
		if !slices.Equal(got, only) {
			t.Errorf("an epoch has %v, want %v", got, only)
		}
	}
	l, err := o.NewLoader(LoaderOptions{Split: datasets.Test, Shapes: shapes, Maps: 3, Once: true, Only: only[:3]})
	must(t, err)
	defer l.Close()
	seen := 0
	for {
		b, err := l.Next(t.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		must(t, err)
		seen += b.N
	}
	if seen != 3 {
		t.Errorf("%d utterances once, want 3", seen)
	}
}

func TestAlignmentsOfATestSplitAreOfTheNetworksClasses(t *testing.T) {
	o := openDigits(t, datasets.Config{}, digitsConfig())
	path := filepath.Join(t.TempDir(), "ali.txt")
	write := func(class string) {
		t.Helper()
		text := ""
		for i := range 2 {
			text += o.ID(datasets.Test, i) + strings.Repeat(" "+class, o.Frames(datasets.Test, i)+1) + "\n"
		}
		must(t, os.WriteFile(path, []byte(text), 0o600))
	}
	write("7")
	if err := openDigits(t, datasets.Config{}, digitsConfig()).AlignTest(AlignmentFiles{Files: path}, 7); !errors.Is(err, fault.ErrData) || !strings.Contains(err.Error(), "class 7") {
		t.Errorf("a class that the network lacks: %v", err)
	}
	write("-1")
	if err := openDigits(t, datasets.Config{}, digitsConfig()).AlignTest(AlignmentFiles{Files: path}, 7); !errors.Is(err, fault.ErrData) || !strings.Contains(err.Error(), "class -1") {
		t.Errorf("a class below 0: %v", err)
	}
	write("6")
	must(t, openDigits(t, datasets.Config{}, digitsConfig()).AlignTest(AlignmentFiles{Files: path}, 7))
	write("0")
	must(t, openDigits(t, datasets.Config{}, digitsConfig()).AlignTest(AlignmentFiles{Files: path}, 7))
	write("3")
	must(t, o.AlignTest(AlignmentFiles{Files: path}, 7))
	if o.Len(datasets.Test) != 2 {
		t.Errorf("%d utterances are left, want the 2 with an alignment", o.Len(datasets.Test))
	}
	labels := make([]int32, o.Frames(datasets.Test, 1))
	_, err := o.Read(datasets.Test, 1, labels)
	must(t, err)
	if slices.Min(labels) != 3 || slices.Max(labels) != 3 {
		t.Errorf("labels %v", labels)
	}
}
