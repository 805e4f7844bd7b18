package speech

import (
	"resnet/internal/datasets/fault"
	"resnet/internal/datasets/speech/audio"
)

// Features are the frames of an utterance.
type Features struct {
	Frames, Dim int       // T and D
	Data        []float32 // [T, D], row-major
}

// NewFeatures returns frames of zeros.
func NewFeatures(frames, dim int) Features {
	return Features{Frames: frames, Dim: dim, Data: make([]float32, frames*dim)}
}

// Row is frame t.
func (f Features) Row(t int) []float32 { return f.Data[t*f.Dim : (t+1)*f.Dim] }

// Audio is a recording, see package audio.
type Audio = audio.Audio

// ReadAudio is audio.Read.
var ReadAudio = audio.Read

// mono is the one channel of a recording, at the rate the options are for.
func (o FbankOptions) mono(a Audio) ([]float32, error) {
	if len(a.Channels) != 1 {
		return nil, fault.Dataf("%d channels: choose one", len(a.Channels))
	}
	if a.Rate != o.Rate {
		return nil, fault.Dataf("%d samples a second where %d are wanted: convert it: sox IN.wav -r %d OUT.wav", a.Rate, o.Rate, o.Rate)
	}
	return a.Channels[0], nil
}
