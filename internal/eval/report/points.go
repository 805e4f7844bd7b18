package report

import (
	"encoding/csv"
	"io"
	"strconv"

	"resnet/internal/eval"
	"resnet/internal/text"
)

// The files with every measurement of every run of a comparison. They hold nothing that depends on
// the machine or the hour, so that an interrupted and repeated comparison leaves the same bytes.
const (
	PointsFile = "points.csv"
	PointsJSON = "points.json"
)

// writePoints writes a row for each measurement, runs in the order given. What was not measured is
// empty. A name that a spreadsheet would take for a formula is written with an apostrophe before
// it.
func writePoints(w io.Writer, runs []Compared) error {
	c := csv.NewWriter(w)
	header := []string{"run", "step"}
	for _, column := range historyColumns {
		header = append(header, column.name)
	}
	if err := c.Write(header); err != nil {
		return err
	}
	for _, r := range runs {
		name := text.CSVCell(r.Name)
		for i := range r.History {
			m := &r.History[i]
			row := []string{name, strconv.Itoa(m.Step)}
			for _, column := range historyColumns {
				text := ""
				if v := *column.cell(m); v != nil {
					text = strconv.FormatFloat(*v, 'g', -1, 64)
				}
				row = append(row, text)
			}
			if err := c.Write(row); err != nil {
				return err
			}
		}
	}
	c.Flush()
	return c.Error()
}

// pointsRun is a run in points.json. A measurement has the names of metrics.csv's columns; what was
// not measured, or is not finite, is left out.
type pointsRun struct {
	Name      string               `json:"name"`
	Model     string               `json:"model"`
	Kind      string               `json:"kind,omitempty"`
	Layers    int                  `json:"layers,omitempty"`
	Seed      uint64               `json:"seed"`
	Params    int64                `json:"params,omitempty"`
	Dataset   string               `json:"dataset,omitempty"`
	Diverged  bool                 `json:"diverged,omitempty"`
	Points    []map[string]float64 `json:"points"`
	Responses []eval.Response      `json:"layer_responses,omitempty"`
}

func (c Comparison) writeJSON(w io.Writer) error {
	list := struct {
		Runs []pointsRun `json:"runs"`
	}{[]pointsRun{}}
	for _, r := range c.Runs {
		n := r.Net
		p := pointsRun{
			Name: r.Name, Model: n.Model, Kind: n.Kind, Layers: n.Depth, Seed: n.Seed, Params: n.Params, Dataset: n.Dataset,
			Diverged: n.Diverged, Points: []map[string]float64{}, Responses: n.Responses,
		}
		for i := range r.History {
			m := &r.History[i]
			values := map[string]float64{"step": float64(m.Step)}
			for _, column := range historyColumns {
				if v := *column.cell(m); v != nil && finite(*v) {
					values[column.name] = *v
				}
			}
			p.Points = append(p.Points, values)
		}
		list.Runs = append(list.Runs, p)
	}
	return eval.WriteJSON(w, list)
}
