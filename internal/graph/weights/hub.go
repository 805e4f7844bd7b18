package weights

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// HubConfig is what the files beside weights on the Hugging Face hub say of a network: config.json
// of transformers or of timm, and preprocessor_config.json. Zero values are what they do not say.
type HubConfig struct {
	// Architecture is timm's name, or transformers' kind of model.
	Architecture string
	// StrideInFirst and StrideIn3x3 say where a bottleneck strides: in its first 1x1, or in its
	// 3x3 as timm's and mostly transformers' do.
	StrideInFirst, StrideIn3x3 bool
	// Unlike says what the network has that no tensor shows and no network here has, or "".
	Unlike string
	Labels []string // names of the classes, by index
	Mean   []float32
	Std    []float32
	Size   int // side of the square that the network sees, pixels
	Resize int // of the shorter side before
	// Interpolation is bilinear, bicubic or another of Pillow's, in small letters.
	Interpolation string
	// Warped says that images are resized to a square without regard to their shape.
	Warped bool
}

// hubJSON is config.json: transformers' fields, and timm's.
type hubJSON struct {
	ModelType     string            `json:"model_type"`
	ID2Label      map[string]string `json:"id2label"`
	InBottleneck  *bool             `json:"downsample_in_bottleneck"`
	InFirstStage  *bool             `json:"downsample_in_first_stage"`
	Activation    string            `json:"hidden_act"`
	Architecture  string            `json:"architecture"`
	PretrainedCfg *timmJSON         `json:"pretrained_cfg"`
	LabelNames    []string          `json:"label_names"`
	ModelArgs     map[string]any    `json:"model_args"`
}

// timmJSON is timm's description of the input.
type timmJSON struct {
	Mean          []float32 `json:"mean"`
	Std           []float32 `json:"std"`
	InputSize     []int     `json:"input_size"`
	CropPct       float64   `json:"crop_pct"`
	Interpolation string    `json:"interpolation"`
	LabelNames    []string  `json:"label_names"`
}

// maxHubSide bounds sizes that a description gives, pixels.
const maxHubSide = 1 << 16

// ReadHubConfig reads config.json. ok is false for JSON that describes no network of transformers
// or timm. It fails with ErrFormat.
func ReadHubConfig(text []byte) (c HubConfig, ok bool, err error) {
	var j hubJSON
	if err := json.Unmarshal(text, &j); err != nil {
		return c, false, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	switch {
	case j.Architecture != "":
		c.Architecture, c.StrideIn3x3 = j.Architecture, true
		if j.PretrainedCfg != nil {
			c.timm(*j.PretrainedCfg)
		} else {
			var flat timmJSON // timm's first form
			if json.Unmarshal(text, &flat) == nil {
				c.timm(flat)
			}
		}
		if c.Labels == nil {
			c.Labels = j.LabelNames
		}
		if strings.Contains(j.Architecture, "blur") || j.ModelArgs["aa_layer"] != nil {
			c.Unlike = "blurred pooling (" + j.Architecture + " of timm)"
		}
	case j.ModelType == "resnet":
		c.Architecture = "transformers' " + j.ModelType
		c.StrideInFirst = j.InBottleneck != nil && *j.InBottleneck
		c.StrideIn3x3 = !c.StrideInFirst
		c.Labels = labelsByID(j.ID2Label)
		if j.InFirstStage != nil && *j.InFirstStage {
			c.Unlike = "a first stage that halves the map (downsample_in_first_stage)"
		}
		if j.Activation != "" && j.Activation != "relu" {
			c.Unlike = "the activation " + strconv.Quote(j.Activation)
		}
	default:
		return c, false, nil
	}
	return c, true, nil
}

// labelsByID are the names of classes 0 to n-1, nil where one is missing or all are numbers of
// transformers' own (LABEL_0).
func labelsByID(byID map[string]string) []string {
	labels := make([]string, len(byID))
	named := false
	for id, label := range byID {
		i, err := strconv.Atoi(id)
		if err != nil || i < 0 || i >= len(labels) || strconv.Itoa(i) != id {
			return nil
		}
		labels[i] = label
		named = named || label != "LABEL_"+id
	}
	if !named {
		return nil
	}
	return labels
}

// timm takes its description of the input: the crop is a fraction of the shorter side.
func (c *HubConfig) timm(j timmJSON) {
	c.Mean, c.Std, c.Interpolation, c.Labels = j.Mean, j.Std, j.Interpolation, j.LabelNames
	if len(j.InputSize) == 3 && j.InputSize[1] == j.InputSize[2] {
		c.crop(j.InputSize[1], j.CropPct)
	}
}

// crop takes a square of so many pixels out of a fraction of the shorter side.
func (c *HubConfig) crop(size int, fraction float64) {
	if size < 1 || size > maxHubSide || !(fraction > 0.01 && fraction <= 1) {
		return
	}
	c.Size, c.Resize = size, int(math.Floor(float64(size)/fraction))
}

// preprocessorJSON is preprocessor_config.json of transformers.
type preprocessorJSON struct {
	Kind         string          `json:"image_processor_type"`
	OldKind      string          `json:"feature_extractor_type"`
	Size         json.RawMessage `json:"size"`
	CropSize     json.RawMessage `json:"crop_size"`
	CropPct      float64         `json:"crop_pct"`
	Resample     *int            `json:"resample"`
	DoResize     *bool           `json:"do_resize"`
	DoCenterCrop *bool           `json:"do_center_crop"`
	DoNormalize  *bool           `json:"do_normalize"`
	Mean         []float32       `json:"image_mean"`
	Std          []float32       `json:"image_std"`
}

// pillowFilters are Pillow's numbers of interpolations.
var pillowFilters = map[int]string{0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "box", 5: "hamming"}

// ReadPreprocessor adds what preprocessor_config.json says of the input. It fails with ErrFormat.
func (c *HubConfig) ReadPreprocessor(text []byte) error {
	var j preprocessorJSON
	if err := json.Unmarshal(text, &j); err != nil {
		return fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if j.DoNormalize == nil || *j.DoNormalize {
		c.Mean, c.Std = j.Mean, j.Std
	}
	if j.Resample != nil {
		c.Interpolation = pillowFilters[*j.Resample]
	}
	if j.DoResize != nil && !*j.DoResize {
		return nil
	}
	size, square := sideOf(j.Size)
	crop, _ := sideOf(j.CropSize)
	// ConvNeXT's, which transformers' ResNets use: small images are cut out of size/crop_pct, those
	// from 384 pixels are warped.
	isConvNext := strings.HasPrefix(j.Kind, "ConvNext") || strings.HasPrefix(j.OldKind, "ConvNext")
	switch {
	case isConvNext && size < 384:
		fraction := j.CropPct
		if fraction == 0 {
			fraction = 224. / 256
		}
		c.crop(size, fraction)
	case j.DoCenterCrop != nil && *j.DoCenterCrop && crop > 0 && crop <= size:
		c.Size, c.Resize = crop, size
	case size > 0:
		c.Size, c.Resize, c.Warped = size, size, square || isConvNext
	}
	return nil
}

// sideOf reads 224, {"shortest_edge": 224} or {"height": 224, "width": 224}; the last is a square,
// as a number alone is. 0 is anything else.
func sideOf(text json.RawMessage) (side int, square bool) {
	var n int
	var edges struct {
		Shortest int `json:"shortest_edge"`
		Height   int `json:"height"`
		Width    int `json:"width"`
	}
	switch {
	case len(text) == 0:
	case json.Unmarshal(text, &n) == nil:
		square = true
	case json.Unmarshal(text, &edges) != nil:
	case edges.Shortest > 0:
		n = edges.Shortest
	case edges.Height == edges.Width:
		n, square = edges.Height, true
	}
	if n < 1 || n > maxHubSide {
		return 0, false
	}
	return n, square
}
