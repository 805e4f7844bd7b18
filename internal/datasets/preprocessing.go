package datasets

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// The interpolations of Preprocessing: Pillow's filters, with antialiasing.
const (
	Bilinear = "bilinear"
	Bicubic  = "bicubic"
)

// Preprocessing is how a picture of any size becomes the input of a network: its shorter side is
// resized, the central square is cut out, blocks of pixels are averaged, colours become luma where
// the network takes one channel, and the Normalizer makes floats of the bytes.
//
// It is made once, when a training or an import begins, and stands in the checkpoint. Validation,
// evaluation, prediction and export obey it, so that all of them see the same pixels. A crop
// fraction, as timm has it, is Size/Resize.
type Preprocessing struct {
	Size          int    // side of the square, pixels; 0 means that it is not known, or not meant
	Resize        int    // length of the shorter side before, pixels
	Interpolation string // Bilinear or Bicubic
	Downsample    int    // the side of the blocks that are averaged; 1 means none
	Channels      int    // 3: red, green and blue; 1: luma
	// Orientation says whether pictures are turned as their EXIF orientation says: OrientExif,
	// OrientStored, or OrientData. "" means OrientStored: records of programs that knew no other.
	Orientation string
	Normalizer
}

// Values of Preprocessing.Orientation.
const (
	OrientExif   = "exif"   // as EXIF says
	OrientStored = "stored" // as the pixels are stored, as torchvision does
	// OrientData is for networks from elsewhere: as the data set says, and files that are in none
	// by EXIF.
	OrientData = "data"
)

// byFiles is what OrientData means for files that are in no data set.
var byFiles = Preprocessing{Orientation: OrientExif}

// turns reports whether images of a data set with the view set are turned for p.
func (p Preprocessing) turns(set Preprocessing) bool {
	if p.Orientation == OrientData {
		p = set
	}
	return p.Orientation == OrientExif
}

// NewPreprocessing is the record of a network whose input is a square of side pixels. A Resize of 0
// means side.
func NewPreprocessing(channels, side, resize int, n Normalizer) Preprocessing {
	if resize == 0 {
		resize = side
	}
	return Preprocessing{Size: side, Resize: resize, Interpolation: Bilinear, Downsample: 1, Channels: channels, Normalizer: n}
}

// Side is the height and the width of the network's input, pixels.
func (p Preprocessing) Side() int { return p.Size / max(p.Downsample, 1) }

// With is the same view with another Normalizer.
func (p Preprocessing) With(n Normalizer) Preprocessing {
	p.Normalizer = n
	return p
}

// sameView reports whether p and q show the same part of a picture in the same way.
func (p Preprocessing) sameView(q Preprocessing) bool {
	return p.Size == q.Size && p.Resize == q.Resize && p.Interpolation == q.Interpolation && p.Downsample == q.Downsample && p.Channels == q.Channels &&
		p.turns(q) == q.turns(q)
}

// Check fails with ErrConfig for what is impossible or contradicts itself.
func (p Preprocessing) Check() error {
	switch {
	case p.Size < 1 || p.Size > maxSize:
		return faultf(ErrConfig, "preprocessing: a size of %d pixels, and 1 to %d are possible", p.Size, maxSize)
	case p.Resize < p.Size || p.Resize > maxSize:
		return faultf(ErrConfig, "preprocessing: a shorter side of %d pixels, and %d to %d are possible for a square of %d", p.Resize, p.Size, maxSize, p.Size)
	case p.Downsample < 1 || p.Size%p.Downsample != 0:
		return faultf(ErrConfig, "preprocessing: blocks of %d pixels do not divide a square of %d", p.Downsample, p.Size)
	case p.Channels != 1 && p.Channels != 3:
		return faultf(ErrConfig, "preprocessing: %d channels, and pictures have 3, or 1 in grey", p.Channels)
	case p.Interpolation != Bilinear && p.Interpolation != Bicubic:
		return faultf(ErrConfig, "preprocessing: unknown interpolation %q: %s or %s", p.Interpolation, Bilinear, Bicubic)
	case p.Orientation != "" && p.Orientation != OrientExif && p.Orientation != OrientStored && p.Orientation != OrientData:
		return faultf(ErrConfig, "preprocessing: unknown orientation %q: %s, %s or %s", p.Orientation, OrientExif, OrientStored, OrientData)
	}
	return p.Normalizer.Check(p.Channels, p.Side(), p.Side())
}

// preprocessingJSON holds means and deviations as base64 of little-endian float32: a mean image of
// 3072 values takes 16 KB, and every value comes back to the bit. Records without a size are those
// of programs that did not keep one.
type preprocessingJSON struct {
	Kind          string `json:"kind"`
	Mean          string `json:"mean,omitempty"`
	Std           string `json:"std,omitempty"`
	Size          int    `json:"size,omitempty"`
	Resize        int    `json:"resize,omitempty"`
	Interpolation string `json:"interpolation,omitempty"`
	Downsample    int    `json:"downsample,omitempty"` // 0 means 1
	Channels      int    `json:"channels,omitempty"`
	Orientation   string `json:"orientation,omitempty"` // "" means stored
}

// Encode is the record as JSON, for metadata; DecodePreprocessing reads it back to the bit.
func (p Preprocessing) Encode() string {
	j := preprocessingJSON{
		Kind: p.Kind, Mean: encodeFloats(p.Mean), Std: encodeFloats(p.Std), Size: p.Size, Resize: p.Resize,
		Interpolation: p.Interpolation, Channels: p.Channels,
	}
	if p.Orientation != OrientStored {
		j.Orientation = p.Orientation
	}
	if p.Downsample > 1 {
		j.Downsample = p.Downsample
	}
	text, _ := json.Marshal(j) // strings and whole numbers always encode
	return string(text)
}

// DecodePreprocessing reads what Encode wrote, and records without a size, which it leaves 0. It
// fails with ErrData; whether the record makes sense is for Check to say.
func DecodePreprocessing(text string) (Preprocessing, error) {
	var j preprocessingJSON
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return Preprocessing{}, faultf(ErrData, "preprocessing: %w", err)
	}
	p := Preprocessing{
		Size: j.Size, Resize: j.Resize, Interpolation: j.Interpolation, Downsample: j.Downsample, Channels: j.Channels, Orientation: j.Orientation,
		Normalizer: Normalizer{Kind: j.Kind},
	}
	if j.Size != 0 && j.Downsample == 0 {
		p.Downsample = 1
	}
	var err error
	if p.Mean, err = decodeFloats(j.Mean); err != nil {
		return Preprocessing{}, faultf(ErrData, "preprocessing: mean: %w", err)
	}
	if p.Std, err = decodeFloats(j.Std); err != nil {
		return Preprocessing{}, faultf(ErrData, "preprocessing: std: %w", err)
	}
	return p, nil
}

// Plain is the record in plain numbers, for people and other programs, by keys that begin with
// prefix: size and resize in pixels, interpolation, channels, and mean and std of each channel of
// values in [0, 1]. Of a mean image they are the means over each channel; the image itself is in
// Encode alone.
func (p Preprocessing) Plain(prefix string) map[string]string {
	mean := p.Mean
	if p.Kind == PixelMean {
		mean = nil
		for plane := range slices.Chunk(p.Mean, len(p.Mean)/p.Channels) {
			var sum float64
			for _, v := range plane {
				sum += float64(v)
			}
			mean = append(mean, float32(sum/float64(len(plane))))
		}
	}
	plain := map[string]string{
		"size": strconv.Itoa(p.Size), "resize": strconv.Itoa(p.Resize), "interpolation": p.Interpolation, "channels": strconv.Itoa(p.Channels), "normalize": p.Kind,
	}
	if p.Downsample > 1 {
		plain["downsample"] = strconv.Itoa(p.Downsample)
	}
	for key, values := range map[string][]float32{"mean": mean, "std": p.Std} {
		if len(values) > 0 {
			var list []string
			for _, v := range values {
				list = append(list, strconv.FormatFloat(float64(v), 'g', -1, 32))
			}
			plain[key] = strings.Join(list, ",")
		}
	}
	out := map[string]string{}
	for key, v := range plain {
		out[prefix+key] = v
	}
	return out
}

func encodeFloats(v []float32) string {
	b := make([]byte, 0, 4*len(v))
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return base64.StdEncoding.EncodeToString(b)
}

func decodeFloats(s string) ([]float32, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil, err
	}
	if len(b)%4 != 0 {
		return nil, fmt.Errorf("%d bytes, want a multiple of 4", len(b))
	}
	if len(b) == 0 {
		return nil, nil
	}
	v := make([]float32, len(b)/4)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return v, nil
}

// View is the preprocessing of a data set of this configuration, without a Normalizer: by Size,
// Resize and Downsample for images of any size, and whole where all have one size. side is the
// square that a Size of 0 means. It fails with ErrConfig for sizes that contradict each other.
func (c Config) View(channels, side int) (Preprocessing, error) {
	p := NewPreprocessing(channels, side, 0, Normalizer{})
	p.Downsample = max(c.Downsample, 1)
	if resize := registry()[c.Name].resize; resize != nil {
		if c.Size != 0 {
			p.Size = c.Size
		}
		if p.Resize = c.Resize; p.Resize == 0 {
			p.Resize = resize(p.Size)
		}
		if c.Interpolation != "" {
			p.Interpolation = c.Interpolation
		}
		if p.Orientation = c.Orientation; p.Orientation == "" {
			p.Orientation = registry()[c.Name].orientation
		}
	}
	switch {
	case p.Size%p.Downsample != 0:
		return Preprocessing{}, faultf(ErrConfig, "%s: data.downsample is %d, which does not divide data.size %d", c.Name, p.Downsample, p.Size)
	case p.Resize < p.Size:
		return Preprocessing{}, faultf(ErrConfig, "%s: data.resize is %d, and a crop of data.size %d does not fit into that", c.Name, p.Resize, p.Size)
	}
	return p, nil
}
