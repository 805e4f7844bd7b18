package blocks

// Summary describes a net for `models show`: its counts, and a row for each layer.
type Summary struct {
	Name     string   `json:"name"`
	Family   string   `json:"family"`
	Source   string   `json:"source"`
	Depth    int      `json:"depth"` // layers with weights, projections not counted
	Block    Block    `json:"block"`
	Shortcut Shortcut `json:"shortcut"`
	Params   int64    `json:"params"` // trainable values
	// TrainingParams are those of Params that evaluation does not read: of auxiliary classifiers.
	TrainingParams int64 `json:"training_only_params,omitempty"`
	// MACs are the multiply-adds of conv and linear layers, for one image or frame.
	MACs int64 `json:"macs"`
	// Input is [channels, height, width], of a frame [channels, features].
	Input   []int       `json:"input"`
	Classes int         `json:"classes"`
	Blocks  int         `json:"blocks"` // building blocks
	Paper   *PaperValue `json:"paper"`  // null where the paper gives no value
	Layers  []Layer     `json:"layers"`
}

// Summarize counts s without building it. It fails with ErrSpec if s cannot be built.
func Summarize(s Spec) (Summary, error) {
	if err := s.Validate(); err != nil {
		return Summary{}, err
	}
	s = s.clone()
	sum := Summary{
		Name: s.Name, Family: s.Family, Source: s.Source, Depth: s.Depth(), Block: s.Block, Shortcut: s.Shortcut,
		Input: s.input().shape(), Classes: s.Classes, Paper: s.PaperError, Layers: trace(s),
	}
	for _, n := range s.Depths {
		sum.Blocks += n
	}
	for _, p := range s.Body {
		if p.Kind == PartModule {
			sum.Blocks++
		}
	}
	for _, l := range sum.Layers {
		sum.Params += l.Params
		if l.Training {
			sum.TrainingParams += l.Params
		} else {
			sum.MACs += l.MACs
		}
	}
	return sum, nil
}
