package report

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"resnet/internal/eval"
)

func TestResponsesOfEachNetworkInOrderAndBySize(t *testing.T) {
	responses := func(values ...float64) (list []eval.Response) {
		for i, v := range values {
			list = append(list, eval.Response{Layer: "layer" + string(rune('1'+i)), Std: v})
		}
		return list
	}
	runs := []Compared{
		{Run{Name: "a-seed1"}, Net{Model: "a", Kind: KindPlain, Responses: responses(9.87654321, 0.5, 1)}},
		// Only the first run of a network is drawn.
		{Run{Name: "a-seed2"}, Net{Model: "a", Kind: KindPlain, Responses: responses(7)}},
		{Run{Name: "none"}, Net{Model: "none"}},
		{Run{Name: "b-seed1"}, Net{Model: "b", Kind: KindResidual, Responses: responses(0.25)}},
	}
	f := responseFigure(runs)
	want := []Panel{
		{Title: "in order", Lines: []Line{
			{Name: "a", Group: "a", Width: 1.2, Dashed: true, Points: [][2]float64{{1, 9.87654321}, {2, 0.5}, {3, 1}}},
			{Name: "b", Group: "b", Color: 1, Marker: 1, Width: 1.2, Points: [][2]float64{{1, 0.25}}},
		}},
		{Title: "sorted", Lines: []Line{
			{Name: "a", Group: "a", Width: 1.2, Dashed: true, Points: [][2]float64{{1, 9.87654321}, {2, 1}, {3, 0.5}}},
			{Name: "b", Group: "b", Color: 1, Marker: 1, Width: 1.2, Points: [][2]float64{{1, 0.25}}},
		}},
	}
	if d := cmp.Diff(want, f.Panels); d != "" {
		t.Errorf("panels (-want +got):\n%s", d)
	}
	if f.XMax != 3 || f.YMax != 12 { // 10.37 in steps of 2: nothing is cut off
		t.Errorf("axes end at %v and %v, want 3 and 12", f.XMax, f.YMax)
	}
	var b strings.Builder
	if err := writeResponses(&b, runs); err != nil {
		t.Fatal(err)
	}
	csv := "run,index,layer,std\na-seed1,1,layer1,9.87654321\na-seed1,2,layer2,0.5\na-seed1,3,layer3,1\na-seed2,1,layer1,7\nb-seed1,1,layer1,0.25\n"
	if d := cmp.Diff(csv, b.String()); d != "" {
		t.Errorf("file (-want +got):\n%s", d)
	}
}
