package eval

import (
	"slices"
	"testing"
)

func TestLesionsNameTheBlocksThatMatter(t *testing.T) {
	row := func(model, without string, top1 float64) Row {
		return Row{Model: model, Without: without, N: 1000, Top1Error: top1}
	}
	got := Lesions([]Row{
		row("resnet8", "", 20), // two standard errors of the difference from 22 %: 3.65 points
		row("resnet8", "shortcut of layer1.0", 22),
		row("resnet8", "shortcut of layer2.0", 90),
		row("resnet8", "shortcut of layer3.0", 24),
		row("alone", "", 50),
		row("plain8", "", 30),
		row("plain8", "branch of layer1.0", 29),
	})
	want := []string{
		"resnet8 without the shortcut of one block: from 22.00 % (layer1.0) to 90.00 % (layer2.0), with all 20.00 %; worse beyond the noise for 2 of 3 blocks: layer2.0, layer3.0.",
		"plain8 without the branch of one block: from 29.00 % (layer1.0) to 29.00 % (layer1.0), with all 30.00 %; no block beyond the noise.",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
}
