package speech

import "resnet/internal/datasets/speech/audio"

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
