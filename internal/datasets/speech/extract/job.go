package extract

import (
	"context"
	"fmt"
	"hash/fnv"
	"sync"

	"resnet/internal/datasets/fault"
	"resnet/internal/datasets/speech"
	"resnet/internal/datasets/speech/recording"
)

// Normalization says of what the mean is subtracted.
type Normalization string

// The normalisations. That of a speaker is of the static features and comes before the deltas, as
// in Kaldi's recipes; that of an utterance comes last, as for the WRBN.
const (
	None      Normalization = "none"
	Utterance Normalization = "utterance"
	Speaker   Normalization = "speaker"
)

// Job says how features are computed.
type Job struct {
	Fbank speech.FbankOptions // a rate of 0 is that of the first recording
	// Of recordings that do not say it themselves, counted from 0; -1 for the only one.
	Channel     int
	Resample    bool // recordings of other rates, which else are refused
	Deltas      int  // order, 0 for none
	DeltaWindow int
	Normalize   Normalization
	Variance    bool                    // divide by the standard deviation, too
	Speakers    map[string]string       // by utterance; needed for Speaker
	Statistics  map[string]*speech.CMVN // by speaker; nil: measured on these recordings first
	Threads     int
	// OnBad is told of an utterance that cannot be computed; if it returns nil, the utterance is
	// left out. Nil: the first one is the end.
	OnBad func(key string, err error) error
	// OnDone is told how many of the recordings have been seen; those of a first pass for
	// statistics count half.
	OnDone func(done, of int)
}

// Summary is what was done.
type Summary struct {
	Rate, Dim  int
	Utterances int
	Left       int // out, see Job.OnBad
	Frames     int
	Seconds    float64 // of sound
	Beyond     Beyond  // what segments lack
	Speakers   int     // whose statistics were applied
	// Statistics are those of the speakers, measured or as they were given.
	Statistics map[string]*speech.CMVN
}

// Beyond counts the utterances whose end lies behind that of their recording, where it was cut.
type Beyond struct {
	Utterances int
	First      string  // of them
	Most       float64 // seconds, of any of them
}

func (b *Beyond) add(key string, seconds float64) {
	if seconds <= 0 {
		return
	}
	if b.Utterances++; b.Utterances == 1 {
		b.First = key
	}
	b.Most = max(b.Most, seconds)
}

// Check refuses a job that cannot be done, before anything is read.
func (j *Job) Check(recordings []recording.Recording) error {
	bad := func(format string, args ...any) error { return fault.Errorf(fault.ErrConfig, format, args...) }
	if len(recordings) == 0 {
		return fault.Errorf(fault.ErrMissing, "no recordings")
	}
	if j.Normalize != None && j.Normalize != Utterance && j.Normalize != Speaker {
		return bad("no normalisation %q: there are none, utterance and speaker", j.Normalize)
	}
	if j.Normalize == None && j.Variance {
		return bad("the variance is normalised along with the mean: choose of an utterance or of a speaker")
	}
	if j.Threads < 1 {
		return bad("%d threads", j.Threads)
	}
	if _, err := speech.NewFeatures(1, 1).Deltas(j.Deltas, max(j.DeltaWindow, 1)); err != nil {
		return err
	}
	if j.Normalize != Speaker {
		return nil
	}
	for _, r := range recordings {
		s, ok := j.Speakers[r.Key]
		if !ok {
			return fault.Dataf("utt2spk has no speaker of %q", r.Key)
		}
		if j.Statistics != nil && j.Statistics[s] == nil {
			return fault.Dataf("there are no statistics of %q, the speaker of %q", s, r.Key)
		}
	}
	return nil
}

// Run computes the features of all recordings and hands them to write in order. It stops at the
// first error of write, of a recording (unless OnBad takes it) or of the context.
func (j Job) Run(ctx context.Context, recordings []recording.Recording, write func(key string, f speech.Features) error) (Summary, error) {
	if err := j.Check(recordings); err != nil {
		return Summary{}, err
	}
	if err := j.chooseRate(recordings); err != nil {
		return Summary{}, err
	}
	if err := j.Fbank.Check(); err != nil {
		return Summary{}, err
	}
	passes, statistics := 1, j.Statistics
	if j.Normalize == Speaker && statistics == nil {
		passes, statistics = 2, map[string]*speech.CMVN{}
		measure := func(r recording.Recording, got result) error {
			s := j.Speakers[r.Key]
			if statistics[s] == nil {
				statistics[s] = speech.NewCMVN(got.f.Dim)
			}
			return statistics[s].Add(got.f)
		}
		quiet := j
		quiet.OnBad = func(_ string, err error) error { // it is told of in the second pass
			if j.OnBad == nil {
				return err
			}
			return nil
		}
		if err := quiet.each(ctx, recordings, 0, passes, quiet.static, measure); err != nil {
			return Summary{}, err
		}
	}
	sum := Summary{Rate: j.Fbank.Rate, Dim: j.Fbank.Dim() * (1 + j.Deltas)}
	finish := func(r recording.Recording) result {
		got := j.static(r)
		if got.err == nil {
			got.f, got.err = j.finish(got.f, statistics[j.Speakers[r.Key]])
		}
		return got
	}
	speakers := map[string]bool{}
	err := j.each(ctx, recordings, passes-1, passes, finish, func(r recording.Recording, got result) error {
		sum.Utterances, sum.Frames, sum.Seconds = sum.Utterances+1, sum.Frames+got.f.Frames, sum.Seconds+got.seconds
		sum.Beyond.add(r.Key, got.beyond)
		if j.Normalize == Speaker {
			speakers[j.Speakers[r.Key]] = true
		}
		return write(r.Key, got.f)
	})
	sum.Left, sum.Speakers, sum.Statistics = len(recordings)-sum.Utterances, len(speakers), statistics
	if err == nil && sum.Utterances == 0 {
		err = fault.Dataf("none of the %d recordings could be used", len(recordings))
	}
	return sum, err
}

// chooseRate takes the rate of the first recording that can be read.
func (j *Job) chooseRate(recordings []recording.Recording) error {
	var err error
	for _, r := range recordings {
		if j.Fbank.Rate != 0 {
			return nil
		}
		rate, e := j.rate(r)
		if e == nil {
			j.Fbank.Rate = rate
		} else if err == nil {
			err = e
		}
		if e != nil && j.OnBad == nil {
			return e
		}
	}
	if j.Fbank.Rate == 0 {
		return err
	}
	return nil
}

// rate reads a recording, to its end, and returns its samples a second.
func (j *Job) rate(r recording.Recording) (int, error) {
	s, err := r.Open()
	if err != nil {
		return 0, err
	}
	defer s.Close()
	_, err = s.Each(j.channel(r), r.Start, r.End, func([]float32) error { return nil })
	return s.Rate, err
}

// channel is the one of an open recording.
func (j *Job) channel(r recording.Recording) int {
	if r.Chosen() {
		return -1
	}
	return j.Channel
}

// static computes the filter banks of a recording. Dither is drawn from the seed and the key.
func (j *Job) static(r recording.Recording) result {
	s, err := r.Open()
	if err != nil {
		return result{err: err}
	}
	defer s.Close()
	o := j.Fbank
	if j.Resample {
		if err := s.Resample(o.Rate); err != nil {
			return result{err: err}
		}
	}
	if o.Dither != 0 {
		h := fnv.New64a()
		fmt.Fprintf(h, "%d %s", o.DitherSeed, r.Key)
		o.DitherSeed = h.Sum64()
	}
	f, n, err := o.ComputeStream(s, j.channel(r), r.Start, r.End)
	return result{f, float64(n) / float64(s.Rate), s.Beyond, err}
}

// finish adds deltas and normalises.
func (j *Job) finish(f speech.Features, speaker *speech.CMVN) (speech.Features, error) {
	if j.Normalize == Speaker {
		if err := speaker.Apply(f, j.Variance); err != nil {
			return f, err
		}
	}
	if j.Deltas > 0 {
		var err error
		if f, err = f.Deltas(j.Deltas, j.DeltaWindow); err != nil {
			return f, err
		}
	}
	if j.Normalize == Utterance {
		return f, speech.NormalizeUtterance(f, j.Variance)
	}
	return f, nil
}

// result is what a goroutine has computed of a recording.
type result struct {
	f       speech.Features
	seconds float64 // of sound
	beyond  float64 // seconds that its end lies behind that of the recording
	err     error
}

// each computes all recordings on Threads goroutines and calls use in their order. Of pass p of n.
func (j *Job) each(ctx context.Context, recordings []recording.Recording, p, n int, compute func(recording.Recording) result,
	use func(recording.Recording, result) error,
) error {
	ctx, cancel := context.WithCancel(ctx)
	var workers sync.WaitGroup
	defer workers.Wait()
	defer cancel()
	slots := make([]chan result, len(recordings))
	for i := range slots {
		slots[i] = make(chan result, 1)
	}
	ahead := make(chan int, j.Threads) // a few utterances wait, however slow the disk is
	workers.Go(func() {
		defer close(ahead)
		for i := range recordings {
			select {
			case ahead <- i:
			case <-ctx.Done():
				return
			}
		}
	})
	free := make(chan struct{}, 2*j.Threads) // results that may wait for their turn
	for range j.Threads {
		workers.Go(func() {
			for i := range ahead {
				slots[i] <- compute(recordings[i])
				select {
				case free <- struct{}{}:
				case <-ctx.Done():
					return
				}
			}
		})
	}
	for i, r := range recordings {
		var got result
		select {
		case got = <-slots[i]:
		case <-ctx.Done():
			return ctx.Err()
		}
		select {
		case <-free:
		case <-ctx.Done(): // whose worker has gone without a place
			return ctx.Err()
		}
		err := got.err
		if err == nil {
			err = use(r, got)
		} else if j.OnBad != nil {
			err = j.OnBad(r.Key, fmt.Errorf("%q: %w", r.Key, err))
		} else {
			err = fmt.Errorf("%q: %w", r.Key, err)
		}
		if err != nil {
			return err
		}
		if j.OnDone != nil {
			j.OnDone((p*len(recordings)+i+1)/n, len(recordings))
		}
	}
	return nil
}
