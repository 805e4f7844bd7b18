package eval

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"resnet/internal/datasets"
)

// digits are the names "0" to "9".
func digits() (names []string) {
	for c := range "0123456789" {
		names = append(names, string(rune('0'+c)))
	}
	return names
}

func TestLabelsAreMappedByName(t *testing.T) {
	imagenet := datasets.ClassNames("imagenet")
	ids := make([]string, 1000)
	for i, c := range datasets.ImageNetClasses() {
		ids[i] = c.ID
	}
	for what, c := range map[string]struct {
		network, data []string
		want          []int
		missing       []string
	}{
		"the same":                      {[]string{"cat", "dog"}, []string{"cat", "dog"}, []int{0, 1}, nil},
		"another order":                 {[]string{"cat", "dog", "eel"}, []string{"eel", "cat", "dog"}, []int{2, 0, 1}, nil},
		"a subset":                      {digits(), []string{"3", "5", "7"}, []int{3, 5, 7}, nil},
		"folders sorted as text":        {append(digits(), "10"), []string{"0", "1", "10", "2"}, []int{0, 1, 10, 2}, nil},
		"one that the network lacks":    {[]string{"cat", "dog"}, []string{"bat", "cat", "cow", "dog"}, []int{-1, 0, -1, 1}, []string{"bat", "cow"}},
		"outputs without a name behind": {[]string{"cat", "dog", "", ""}, []string{"dog"}, []int{1}, nil},
		// Imagenette's first three: the IDs' places among the 1000.
		"WordNet IDs, a network of names":            {imagenet, []string{"n01440764", "n02102040", "n02979186"}, []int{0, 217, 482}, nil},
		"WordNet IDs, a network without names":       {make([]string, 1000), []string{"n01440764", "n02102040", "n02979186"}, []int{0, 217, 482}, nil},
		"WordNet IDs on both sides":                  {ids, []string{"n02102040"}, []int{217}, nil},
		"names, a network of WordNet IDs":            {ids, []string{"tench", "English springer"}, []int{0, 217}, nil},
		"a network of three WordNet IDs, ImageNet's": {[]string{"n02979186", "n01440764"}, []string{"tench", "cassette player"}, []int{1, 0}, nil},
		"a WordNet ID that is not ImageNet's":        {make([]string, 1000), []string{"n00000001", "n02102040"}, []int{-1, 217}, []string{"n00000001"}},
	} {
		l, err := MapLabels(c.network, c.data)
		if err != nil || !slices.Equal(l.Outputs, c.want) || !slices.Equal(l.Missing, c.missing) || l.Note != "" {
			t.Errorf("%s: %+v, %v, want %v without %v", what, l, err, c.want, c.missing)
			continue
		}
		for k := range c.data {
			if l.Of(k) != c.want[k] {
				t.Errorf("%s: class %d is output %d, want %d", what, k, l.Of(k), c.want[k])
			}
		}
	}
	// All of ImageNet, two pairs of whose names are alike.
	for _, network := range [][]string{imagenet, ids, make([]string, 1000)} {
		for _, data := range [][]string{imagenet, ids} {
			l, err := MapLabels(network, data)
			if err != nil || len(l.Outputs) != 1000 || len(l.Missing) != 0 || l.Note != "" {
				t.Fatalf("%v: %d outputs", err, len(l.Outputs))
			}
			for k := range 1000 {
				if l.Of(k) != k {
					t.Fatalf("class %d is output %d", k, l.Of(k))
				}
			}
		}
	}
	if l := (LabelMap{}); l.Of(7) != 7 {
		t.Error("the zero value changes a label")
	}
	if l := (LabelMap{Outputs: []int{1, 0}}); l.Of(2) != -1 || l.Of(-1) != -1 {
		t.Error("a class that is not there has an output")
	}
}

func TestNetworksWithoutNamesAreMeasuredByPositionOfAsManyClassesAlone(t *testing.T) {
	l, err := MapLabels(make([]string, 3), []string{"ant", "bee", "cat"})
	if err != nil || !slices.Equal(l.Outputs, []int{0, 1, 2}) || !strings.Contains(l.Note, "does not name") {
		t.Errorf("%+v, %v", l, err)
	}
	for _, n := range []int{2, 4, 1000} {
		_, err := MapLabels(make([]string, n), []string{"ant", "bee", "cat"})
		if !errors.Is(err, ErrModel) || !strings.Contains(err.Error(), "--classes-file") || !strings.Contains(err.Error(), "classes.txt") || !strings.Contains(err.Error(), "ant, bee, cat") {
			t.Errorf("%d classes: %v", n, err)
		}
	}
}

// TestNumbersInTheOrderOfTextAreNotMappedByPosition: a network whose outputs follow the folders and
// one whose outputs are the folders' numbers look alike.
func TestNumbersInTheOrderOfTextAreNotMappedByPosition(t *testing.T) {
	text := append([]string{"0", "1", "10"}, digits()[2:]...)
	if _, err := MapLabels(make([]string, 11), text); !errors.Is(err, ErrModel) || !strings.Contains(err.Error(), "order of text (0, 1, 10, 2") || !strings.Contains(err.Error(), "classes.txt") {
		t.Errorf("%v", err)
	}
	if _, err := MapLabels(make([]string, 2), []string{"01", "1"}); !errors.Is(err, ErrModel) {
		t.Errorf("a number twice: %v", err)
	}
	for _, names := range [][]string{append(digits(), "10"), {"1", "2", "4"}, {"b", "a", "10"}} {
		l, err := MapLabels(make([]string, len(names)), names)
		if err != nil || l.Of(2) != 2 || l.Note == "" {
			t.Errorf("%v: %+v, %v", names, l, err)
		}
	}
}

func TestLabelsThatCannotBeMappedAreRefused(t *testing.T) {
	for says, c := range map[string][2][]string{
		"none of the data set's classes (ant, bee); its own are cat, dog": {{"cat", "dog"}, {"ant", "bee"}},
		`two of its classes are called "cat"`:                             {{"cat", "dog", "cat"}, {"dog", "cat"}},
		`"tench" and "n01440764" of the data set`:                         {{"tench", "goldfish"}, {"tench", "n01440764"}},
		"0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more":                         {{"cat"}, append(digits(), "10", "11")},
	} {
		if _, err := MapLabels(c[0], c[1]); !errors.Is(err, ErrModel) || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want %q", err, says)
		}
	}
}
