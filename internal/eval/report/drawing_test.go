package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDrawingsAreOfTheNetworksThatHaveThem: each block once, under all networks that are made of
// it; settings are named where they change the blocks, and only there.
func TestDrawingsAreOfTheNetworksThatHaveThem(t *testing.T) {
	net := func(model, kind string, depth int, blocks ...string) Net {
		return Net{Model: model, Kind: kind, Depth: depth, Blocks: blocks}
	}
	set := func(n Net, key, value string) Net {
		n.telling = []Setting{{key, value}}
		return n
	}
	got := Drawings([]Net{
		net("resnet56", KindResidual, 56, "<svg>r</svg>", "<svg>half</svg>"), net("resnet20", KindResidual, 20, "<svg>r</svg>", "<svg>half</svg>"),
		net("resnet20", KindResidual, 20, "<svg>r</svg>", "<svg>half</svg>"), net("plain20", KindPlain, 20, "<svg>p</svg>"),
		set(net("resnet32", KindResidual, 32, "<svg>r</svg>"), "train.seed", "1"), set(net("resnet32", KindResidual, 32, "<svg>r</svg>"), "train.seed", "2"),
		set(net("resnet44", KindResidual, 44, "<svg>r</svg>"), "model.activation", "relu"), set(net("resnet44", KindResidual, 44, "<svg>e</svg>"), "model.activation", "elu"),
		net("vgg16", "", 16),
	})
	want := []Drawing{
		{[]string{"plain20"}, []string{"<svg>p</svg>"}},
		{[]string{"resnet20", "resnet32", "resnet44 activation=relu", "resnet56"}, []string{"<svg>r</svg>"}},
		{[]string{"resnet20", "resnet56"}, []string{"<svg>half</svg>"}},
		{[]string{"resnet44 activation=elu"}, []string{"<svg>e</svg>"}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestPagesShowBuildingBlocks(t *testing.T) {
	const svg = `<svg class="net"><title>x</title></svg>`
	runs := fixedRuns()
	for i := range runs {
		runs[i].Net.Blocks = []string{svg}
	}
	var compared, single, none bytes.Buffer
	if err := NewComparison("c", "", runs).writeHTML(&compared, nil); err != nil {
		t.Fatal(err)
	}
	if err := (Report{Title: "r", Blocks: []Drawing{{[]string{"a<b"}, []string{svg, svg}}}}).WriteHTML(&single); err != nil {
		t.Fatal(err)
	}
	if err := (Report{Title: "r"}).WriteHTML(&none); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(compared.String(), svg); n != 1 {
		t.Errorf("the block of all networks is there %d times", n)
	}
	if s := single.String(); strings.Count(s, svg) != 2 || !strings.Contains(s, "<p>a&lt;b</p>") {
		t.Errorf("%s", s)
	}
	if strings.Contains(none.String(), "Building blocks") {
		t.Error("a heading without blocks")
	}
}
