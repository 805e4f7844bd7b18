package blocks

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"resnet/internal/graph"
)

// published is testdata/he2016.yaml: counts[family_option][depth].
type published struct {
	Params map[string]map[int]int64 `yaml:"params"`
	MACs   map[string]map[int]int64 `yaml:"macs"`
	Table6 map[int]float64          `yaml:"table6"`
}

func readPublished(t *testing.T) published {
	t.Helper()
	text, err := os.ReadFile("testdata/he2016.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var p published
	if err := yaml.Unmarshal(text, &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// netOf looks up the net that a key of the file and a depth mean.
func netOf(t *testing.T, key string, depth int) Spec {
	t.Helper()
	family, option, _ := strings.Cut(key, "_")
	option, version, _ := strings.Cut(option, "_")
	name := fmt.Sprintf("resnet%d%s", depth, version)
	if option == "none" {
		name = fmt.Sprintf("plain%d", depth)
	}
	c := DefaultConfig()
	c.Name = name
	if option != "none" {
		c.Shortcut = option
	}
	s, err := Resolve(c, DataInfo{})
	if err != nil {
		t.Fatal(err)
	}
	if s.Family != family || (option != "none" && string(s.Shortcut) != option) {
		t.Fatalf("%s is of family %s with shortcut %s, not %s", s.Name, s.Family, s.Shortcut, key)
	}
	return s
}

func TestCountsAreThePublishedOnes(t *testing.T) {
	p := readPublished(t)
	for _, counts := range []struct {
		what string
		want map[string]map[int]int64
		got  func(Summary, Spec) [2]int64
	}{
		{"params", p.Params, func(m Summary, s Spec) [2]int64 { return [2]int64{m.Params, s.Params} }},
		{"macs", p.MACs, func(m Summary, s Spec) [2]int64 { return [2]int64{m.MACs, s.MACs} }},
	} {
		if len(counts.want) == 0 {
			t.Fatalf("no %s in the file", counts.what)
		}
		for key, byDepth := range counts.want {
			for depth, want := range byDepth {
				s := netOf(t, key, depth)
				m, err := Summarize(s)
				if err != nil {
					t.Fatal(err)
				}
				if got := counts.got(m, s); got != [2]int64{want, want} {
					t.Errorf("%s %d layers: %s counted %d, in the table %d, published %d", key, depth, counts.what, got[0], got[1], want)
				}
			}
		}
	}
}

func TestBaselinesCountsArePyTorchs(t *testing.T) {
	text, err := os.ReadFile("testdata/baselines.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var published map[string]struct {
		Params int64 `yaml:"params"`
		MACs   int64 `yaml:"macs"`
	}
	if err := yaml.Unmarshal(text, &published); err != nil {
		t.Fatal(err)
	}
	rows := 0
	for _, s := range table {
		if s.Block != Sequence || s.TestOnly {
			continue
		}
		rows++
		if want := published[s.Name]; s.Params != want.Params || s.MACs != want.MACs {
			t.Errorf("%s: %d params and %d multiply-adds, in PyTorch %+v", s.Name, s.Params, s.MACs, want)
		}
	}
	if rows != len(published) {
		t.Errorf("%d rows, %d counted in PyTorch", rows, len(published))
	}
	s, err := Lookup("googlenet-bn")
	if err != nil {
		t.Fatal(err)
	}
	if got := s.WithoutAuxiliary().Params; got != 6_624_904 { // torchvision's, without them
		t.Errorf("googlenet-bn without its auxiliary classifiers has %d parameters", got)
	}
}

// TestSlimHasTheVariablesThatGoogleCounts: TF-slim's own test of Inception v2 counts the variables
// before the classifier. It has a separable convolution where the row has an ordinary one, running
// statistics, and no γ.
func TestSlimHasTheVariablesThatGoogleCounts(t *testing.T) {
	s, err := Lookup("bn-inception-slim")
	if err != nil {
		t.Fatal(err)
	}
	var count int64
	for _, l := range trace(s) {
		switch {
		case l.Name == "fc":
		case l.Name == "conv1":
			count += 7*7*3*8 + 3*8*64 + 64
		case l.Type == "bn":
			count += l.Params/2 + l.Params // β; mean and variance
		default:
			count += l.Params
		}
	}
	if count != 10_173_112 {
		t.Errorf("%d variables", count)
	}
}

func TestEveryRowHoldsItsOwnCounts(t *testing.T) {
	for _, s := range table {
		m, err := Summarize(s)
		if err != nil {
			t.Error(err)
			continue
		}
		if m.Params != s.Params || m.MACs != s.MACs {
			t.Errorf("%s: the row says %d params and %d MACs, its layers sum to %d and %d", s.Name, s.Params, s.MACs, m.Params, m.MACs)
		}
	}
}

func TestCIFARRowsCarryTable6AndPlainRowsNothing(t *testing.T) {
	for depth, want := range readPublished(t).Table6 {
		s, err := Lookup(fmt.Sprintf("resnet%d", depth))
		if err != nil {
			t.Fatal(err)
		}
		if v := s.PaperError; v == nil || v.Top1 != want || v.Dataset != "cifar10" || v.Crops != 1 {
			t.Errorf("%s: %+v, Table 6 says %g", s.Name, v, want)
		}
	}
	for _, name := range []string{"plain20", "plain110"} {
		if s, err := Lookup(name); err != nil || s.PaperError != nil {
			t.Errorf("%s: %+v, %v; the paper has curves only", name, s.PaperError, err)
		}
	}
}

func TestNamesAreTheTableWithoutTestRows(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range Names() {
		s, err := Lookup(name)
		if err != nil || s.Name != name || s.TestOnly || seen[name] {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
		seen[name] = true
	}
	for _, name := range []string{"plain20", "plain110", "resnet20", "resnet1202", "resnet50", "resnet50v1.5"} {
		if !seen[name] {
			t.Errorf("%s is missing", name)
		}
	}
}

// variantDepth finds the layers in the names of variants, which have more behind them.
var variantDepth = regexp.MustCompile(`^(?:wrn-|(?:se)?resnext|wide_resnet|resnet|seresnet)(\d+)(?:-3x3|-\d+|_.*|d|-caffe)$`)

func TestDepthOfANameIsItsNumberOfLayers(t *testing.T) {
	for _, s := range table {
		if s.TestOnly || s.Family == FamilySpeech { // which have no depth in their names
			continue
		}
		if m := variantDepth.FindStringSubmatch(s.Name); m != nil {
			if m[1] != fmt.Sprint(s.Depth()) {
				t.Errorf("%s has %d layers", s.Name, s.Depth())
			}
			continue
		}
		name, _, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(strings.TrimSuffix(s.Name, "-caffe"), "v"), "bn"), "v")
		if want, ok := map[string]int{"googlenet": 22, "googlenet-": 22, "bn-inception": 34, "bn-inception-slim": 34, "prelu-net-a": 19, "prelu-net-b": 22, "prelu-net-c": 22}[name]; ok {
			if s.Depth() != want {
				t.Errorf("%s has %d layers, the paper %d", s.Name, s.Depth(), want)
			}
		} else if !strings.HasSuffix(strings.TrimRight(name, "ac"), fmt.Sprint(s.Depth())) {
			t.Errorf("%s has %d layers", s.Name, s.Depth())
		}
	}
}

// A parameter is of a head if and only if its shape follows the number of classes.
func TestHeadsAreWhatFollowsTheNumberOfClasses(t *testing.T) {
	draw := func(s Spec, classes int) *graph.ParamSet {
		t.Helper()
		s.Classes = classes
		params := graph.NewParamSet(1)
		var err error
		if s.Family == FamilySpeech {
			_, err = BuildSequence(s, 2, 5, graph.Train, params)
		} else {
			_, err = Build(s, 2, graph.Eval, params)
		}
		if err != nil {
			t.Fatal(err)
		}
		return params
	}
	rows := append(slices.Clone(testRows), smallSpeech(speechRows[0]), smallSpeech(speechRows[1]))
	for _, s := range rows {
		more, heads := draw(s, 12), 0
		for _, p := range draw(s, 11).All() {
			follows := !slices.Equal(p.Shape, more.Get(p.Name).Shape)
			if p.Head != follows {
				t.Errorf("%s: %s is of a head: %v, its shape follows the classes: %v", s.Name, p.Name, p.Head, follows)
			}
			if p.Head && strings.HasPrefix(p.Name, s.Head()+".") {
				heads++
			}
		}
		if heads != 2 {
			t.Errorf("%s: %d parameters of the classifier %s are of a head, want weight and bias", s.Name, heads, s.Head())
		}
	}
}

func TestTheClassifierIsTheLastLayer(t *testing.T) {
	for _, s := range table {
		last := ""
		for _, l := range trace(s) {
			if !l.Training {
				last = l.Name
			}
		}
		if s.Head() != last {
			t.Errorf("%s: the classifier is %s, not %s", s.Name, last, s.Head())
		}
	}
}

func TestLookupGivesACopy(t *testing.T) {
	a, _ := Lookup("resnet20")
	a.Depths[0], a.Widths[0], a.PaperError.Top1 = 99, 99, 99
	b, err := Lookup("resnet20")
	if err != nil || reflect.DeepEqual(a, b) || b.Depths[0] != 3 {
		t.Errorf("the table changed: %+v, %v", b, err)
	}
}

func TestUnknownNamesGetASuggestion(t *testing.T) {
	for typed, want := range map[string]string{
		"resent20":     `- did you mean "resnet20"?`,
		"ResNet-56":    `- did you mean "resnet56"?`,
		"resnet_110":   `- did you mean "resnet110"?`,
		"resnet14":     `- did you mean "cifar-resnet14"?`,
		"plain-50":     `- did you mean "cifar-plain50"?`,
		"resnet21":     "(depth 21 is not 6n+2; the nearest are 20 and 26",
		"resnet50v15":  `- did you mean "resnet50v1.5"?`,
		"transformer9": "(one of plain20",
		"resnext50":    `- did you mean "resnext50_32x4d"?`,
		"wrn-28":       `- did you mean "wrn-28-10"?`,
	} {
		_, err := Lookup(typed)
		if !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", typed, err, want)
		}
	}
}

// Every row says where it comes from, and a net of the family that is no row says that it is none.
func TestSourcesSayWhereANetComesFrom(t *testing.T) {
	for name, want := range map[string]string{
		"plain20": "section 4.2, Fig. 6", "resnet20": "section 4.2, Table 6", "cifar-resnet14": "section 4.2, another depth",
		"cifar-plain26": "section 4.2, another depth", "resnet50": "Table 1", "resnet50v1.5": "Table 1, with the stride in the 3x3 as in torchvision",
		"vgg16bn": "Simonyan and Zisserman 2015, Table 1, with batch normalisation as in torchvision",
	} {
		if s, err := Lookup(name); err != nil || s.Source != want {
			t.Errorf("%s comes from %q, %v; want %q", name, s.Source, err, want)
		}
	}
}
