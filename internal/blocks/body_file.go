package blocks

import "encoding/json"

// fileForm is a Part in the files of checkpoints. Those of every release can be read: rate is the
// probability of dropout or the weight of an auxiliary classifier's loss, and a fully connected
// layer without out has a unit for each class.
type fileForm struct {
	Kind     PartKind `json:"kind"`
	Name     string   `json:"name,omitempty"`
	Out      int      `json:"out,omitempty"`
	Kernel   int      `json:"kernel,omitempty"`
	Stride   int      `json:"stride,omitempty"`
	Pad      int      `json:"pad,omitempty"`
	Ceil     bool     `json:"ceil,omitempty"`
	Bias     bool     `json:"bias,omitempty"`
	Same     bool     `json:"same,omitempty"`
	Rate     float64  `json:"rate,omitempty"`
	Levels   []int    `json:"levels,omitempty"`
	Branches [][]Part `json:"branches,omitempty"`
}

// MarshalJSON writes the form of fileForm.
func (p Part) MarshalJSON() ([]byte, error) {
	f := fileForm{
		Kind: p.Kind, Name: p.Name, Out: p.Out, Kernel: p.Kernel, Stride: p.Stride, Pad: p.Pad, Ceil: p.Ceil, Bias: p.Bias, Same: p.Same,
		Levels: p.Levels, Branches: p.Branches,
	}
	switch p.Kind {
	case PartDropout:
		f.Rate = p.Dropout
	case PartAux:
		f.Rate = p.LossWeight
	case PartClassifier:
		f.Kind, f.Out = PartFC, 0
	}
	return json.Marshal(f)
}

// UnmarshalJSON reads the form of fileForm.
func (p *Part) UnmarshalJSON(text []byte) error {
	var f fileForm
	if err := json.Unmarshal(text, &f); err != nil {
		return err
	}
	*p = Part{
		Kind: f.Kind, Name: f.Name, Out: f.Out, Kernel: f.Kernel, Stride: f.Stride, Pad: f.Pad, Ceil: f.Ceil, Bias: f.Bias, Same: f.Same,
		Levels: f.Levels, Branches: f.Branches,
	}
	switch {
	case f.Kind == PartDropout:
		p.Dropout = f.Rate
	case f.Kind == PartAux:
		p.LossWeight = f.Rate
	case f.Kind == PartFC && f.Out == 0:
		p.Kind = PartClassifier
	}
	return nil
}
