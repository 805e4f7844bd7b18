package experiment

import (
	"context"
	"maps"
	"slices"

	"resnet/internal/datasets/speech"
	"resnet/internal/datasets/speech/extract"
	"resnet/internal/datasets/speech/kaldi"
	"resnet/internal/datasets/speech/recording"
)

// FeaturesOptions say how the features of recordings are computed.
type FeaturesOptions struct {
	Job             extract.Job
	Segments        string // file: utterances are parts of the recordings; "" for whole ones
	Utt2Spk         string // file of the utterances' speakers, for normalisation by speaker
	Statistics      string // archive of the speakers' statistics; "" measures them
	WriteStatistics string // archive to write them to, or ""
	Kind            kaldi.Kind
	OnStart         func(recordings int) // may be nil
}

// Features is what ComputeFeatures wrote: `speech features --json`.
type Features struct {
	Ark        string  `json:"ark"`
	Scp        string  `json:"scp"`
	Utterances int     `json:"utterances"`
	Left       int     `json:"left_out"`
	Frames     int     `json:"frames"`
	Dim        int     `json:"dim"`
	Rate       int     `json:"rate"`
	Seconds    float64 `json:"seconds"` // of sound
	Speakers   int     `json:"speakers,omitempty"`
	// Segments that end behind their recording, where they are cut, and by how much at most.
	Beyond        int     `json:"segments_beyond,omitempty"`
	BeyondFirst   string  `json:"segments_beyond_first,omitempty"`
	BeyondSeconds float64 `json:"segments_beyond_seconds,omitempty"`
	Statistics    string  `json:"statistics,omitempty"`
}

// ComputeFeatures writes the archive and its script; both appear when all is done.
func ComputeFeatures(ctx context.Context, inputs []string, ark, scp string, o FeaturesOptions) (Features, error) {
	found, err := recording.Find(inputs, o.Segments)
	if err != nil {
		return Features{}, err
	}
	if err := o.readSpeakers(); err != nil {
		return Features{}, err
	}
	if o.OnStart != nil {
		o.OnStart(len(found))
	}
	w, err := kaldi.Create(ark, scp)
	if err != nil {
		return Features{}, err
	}
	defer w.Discard()
	sum, err := o.Job.Run(ctx, found, func(key string, f speech.Features) error {
		return w.Write(key, kaldi.Value{Kind: o.Kind, Rows: f.Frames, Cols: f.Dim, Floats: f.Data})
	})
	if err != nil {
		return Features{}, err
	}
	if err := writeStatistics(o.WriteStatistics, sum.Statistics); err != nil {
		return Features{}, err
	}
	return Features{
		Ark: ark, Scp: scp, Utterances: sum.Utterances, Left: sum.Left, Frames: sum.Frames, Dim: sum.Dim, Rate: sum.Rate, Seconds: sum.Seconds, Speakers: sum.Speakers,
		Beyond: sum.Beyond.Utterances, BeyondFirst: sum.Beyond.First, BeyondSeconds: sum.Beyond.Most, Statistics: o.WriteStatistics,
	}, w.Commit()
}

// readSpeakers reads what normalisation by speaker needs.
func (o *FeaturesOptions) readSpeakers() error {
	if o.Job.Normalize != extract.Speaker {
		return nil
	}
	pairs, err := kaldi.ReadTable(o.Utt2Spk)
	if err != nil {
		return err
	}
	o.Job.Speakers = map[string]string{}
	for _, p := range pairs {
		o.Job.Speakers[p.Key] = p.Value
	}
	if o.Statistics == "" {
		return nil
	}
	o.Job.Statistics, err = speech.ReadStatistics(o.Statistics)
	return err
}

// writeStatistics writes those of every speaker, by name.
func writeStatistics(path string, all map[string]*speech.CMVN) error {
	if path == "" {
		return nil
	}
	w, err := kaldi.Create(path, "")
	if err != nil {
		return err
	}
	defer w.Discard()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		rows, cols, data := all[name].Matrix()
		if err := w.Write(name, kaldi.Value{Kind: kaldi.DoubleMatrix, Rows: rows, Cols: cols, Doubles: data}); err != nil {
			return err
		}
	}
	return w.Commit()
}
