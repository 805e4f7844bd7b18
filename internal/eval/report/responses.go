package report

import (
	"encoding/csv"
	"io"
	"math"
	"slices"
	"strconv"

	"resnet/internal/text"
)

// ResponsesFile is the file with the layer responses of a comparison's networks.
const ResponsesFile = "responses.csv"

// responseFigure draws the responses of each network against the layer, the first run of each.
// Plain networks are dashed, as in the paper.
func responseFigure(runs []Compared) Figure {
	f := Figure{
		ID: "responses", Title: "Layer responses", X: "layer", Y: "standard deviation", Digits: 3,
		Note: "Standard deviation of each 3×3 layer's output after batch normalisation, before ReLU and addition (the paper's Fig. 7), from the checkpoint of each network's first run. " +
			"Left in the order of the layers, right sorted by size.",
		Panels: []Panel{{Title: "in order"}, {Title: "sorted"}},
	}
	var groups []string
	for _, r := range runs {
		if r.Net.Responses == nil || slices.Contains(groups, r.Net.Label()) {
			continue
		}
		groups = append(groups, r.Net.Label())
		line := Line{Name: text.Printable(r.Net.Label()), Group: text.Printable(r.Net.Label()), Color: len(groups) - 1, Marker: len(groups) - 1, Width: 1.2, Dashed: r.Net.Kind == KindPlain}
		sorted := line
		values := make([]float64, len(r.Net.Responses))
		for i, x := range r.Net.Responses {
			values[i] = x.Std
			line.Points = append(line.Points, [2]float64{float64(i + 1), x.Std})
		}
		slices.SortFunc(values, func(a, b float64) int { return -int(math.Copysign(1, a-b)) })
		for i, x := range values {
			sorted.Points = append(sorted.Points, [2]float64{float64(i + 1), x})
		}
		f.Panels[0].Lines, f.Panels[1].Lines = append(f.Panels[0].Lines, line), append(f.Panels[1].Lines, sorted)
	}
	f.fit(math.Inf(1)) // the largest responses are what is looked for: nothing is cut off
	return f
}

func writeResponses(w io.Writer, runs []Compared) error {
	c := csv.NewWriter(w)
	if err := c.Write([]string{"run", "index", "layer", "std"}); err != nil {
		return err
	}
	for _, r := range runs {
		for i, x := range r.Net.Responses {
			if err := c.Write([]string{text.CSVCell(r.Name), strconv.Itoa(i + 1), text.CSVCell(x.Layer), strconv.FormatFloat(x.Std, 'g', 9, 64)}); err != nil {
				return err
			}
		}
	}
	c.Flush()
	return c.Error()
}
