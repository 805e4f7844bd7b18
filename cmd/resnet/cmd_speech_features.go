package main

import (
	"context"
	"fmt"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"resnet/internal/datasets/speech"
	"resnet/internal/datasets/speech/extract"
	"resnet/internal/datasets/speech/kaldi"
	"resnet/internal/experiment"
	"resnet/internal/text"
)

// featuresOptions are the flags of speech features.
type featuresOptions struct {
	experiment.FeaturesOptions
	normalize string
	out       string
	compress  string
	allFrames bool
	rawRate   int
	skip      bool
	json      bool
}

// matrixKinds are the values of --compress.
var matrixKinds = map[string]kaldi.Kind{"none": kaldi.FloatMatrix, "CM": kaldi.Compressed, "CM2": kaldi.Compressed2, "CM3": kaldi.Compressed3}

const featuresHelp = `Computes log-mel filter banks as Kaldi's compute-fbank-feats does, with optional deltas and
normalisation, and writes them as a Kaldi archive and script.

INPUT is a wav.scp (a name that ends in .scp), a folder (all .wav, .flac, .sph, .nist, .w64 and .rf64
files in and below it), or a recording. Keys are those of the wav.scp; the key of a file is its path without the ending,
with - for /. --out feats.ark writes feats.ark and feats.scp; --out ark,scp:A,S names both. Both
appear complete or not at all, and are the same bytes for any number of threads.

Recordings are WAV (also RF64), Wave64, FLAC or NIST SPHERE, of PCM, float, mu-law or A-law, with one
channel unless --channel, the fifth column of --segments or a wav.scp chooses one. All must have the
same sampling rate, --rate or that of the first; --resample takes those of others. Commands in a
wav.scp (cmd |) are never executed; one that only decodes a file is taken as that file.

--normalize utterance subtracts each utterance's mean as the last step. --normalize speaker subtracts
the mean of all static features of the speaker, before the deltas; it needs --utt2spk. The speakers'
means are measured in a first pass, or read by --statistics in Kaldi's form.`

func newSpeechFeaturesCmd(a *app) *cobra.Command {
	o := &featuresOptions{}
	o.Job.Fbank = speech.DefaultFbank(0, 0)
	c := &cobra.Command{
		Use: "features INPUT... --out FILE.ark", Short: "Compute features to a Kaldi archive",
		Long: featuresHelp + exitHelp(help65, help66, help73, help74, helpUnwritten),
		Example: "  resnet speech features recordings/ --bins 40 --out feats.ark\n" +
			"  resnet speech features data/wav.scp --bins 80 --deltas 2 --normalize utterance --out ark,scp:feats.ark,feats.scp\n" +
			"  resnet speech features data/wav.scp --normalize speaker --utt2spk data/utt2spk --out feats.ark",
		Args: atLeastArgs(1, "INPUT"),
		RunE: func(c *cobra.Command, args []string) error { return runSpeechFeatures(c.Context(), a, o, args) },
	}
	f, b := c.Flags(), &o.Job.Fbank
	f.StringVar(&o.out, "out", "", "archive to write, with its script beside it (.scp), or ark,scp:ARCHIVE,SCRIPT")
	bounded(f, &b.Bins, "bins", 40, 0, maxCount, "mel bins")
	bounded(f, &o.rawRate, "rate", 0, 0, maxCount, "samples a second that recordings must have (default that of the first)")
	f.BoolVar(&o.Job.Resample, "resample", false, "resample recordings of other rates")
	bounded(f, &o.Job.Channel, "channel", -1, -1, maxCount, "channel of recordings that have several, counted from 0")
	f.Float64Var(&b.LengthMS, "frame-length", b.LengthMS, "window, in milliseconds")
	f.Float64Var(&b.ShiftMS, "frame-shift", b.ShiftMS, "from window to window, in milliseconds")
	f.Float64Var(&b.Low, "low", b.Low, "lower edge of the first bin, Hz")
	f.Float64Var(&b.High, "high", b.High, "upper edge of the last bin, Hz; 0 or less: so far below half the rate")
	f.StringVar(&b.Window, "window", b.Window, "povey, hamming, hanning, sine, blackman or rectangular")
	f.Float64Var(&b.Preemph, "preemphasis", b.Preemph, "of each sample, as much of the one before is subtracted")
	f.BoolVar(&b.RemoveDC, "remove-dc", b.RemoveDC, "subtract the mean of each window")
	f.BoolVar(&o.allFrames, "all-frames", false, "also windows that reach beyond the ends (Kaldi's --snip-edges=false)")
	f.BoolVar(&b.Energy, "energy", false, "the logarithm of a window's energy as the first value")
	f.Float64Var(&b.Dither, "dither", 0, "standard deviation of noise added to the samples; Kaldi's default is 1")
	f.Uint64Var(&b.DitherSeed, "seed", 1, "of the dither")
	bounded(f, &o.Job.Deltas, "deltas", 0, 0, 16, "order of the deltas that are appended")
	bounded(f, &o.Job.DeltaWindow, "delta-window", 2, 0, 1000, "frames to each side")
	f.StringVar(&o.normalize, "normalize", string(extract.None), "subtract the mean: none, utterance or speaker")
	f.BoolVar(&o.Job.Variance, "variance", false, "with --normalize, divide by the standard deviation, too")
	f.StringVar(&o.Utt2Spk, "utt2spk", "", "speakers of the utterances, for --normalize speaker")
	f.StringVar(&o.Statistics, "statistics", "", "statistics of the speakers in a Kaldi archive or script, instead of measuring them")
	f.StringVar(&o.WriteStatistics, "write-statistics", "", "archive for the statistics of the speakers, in Kaldi's form")
	f.StringVar(&o.Segments, "segments", "", "utterances are parts of the recordings, as this file says")
	f.StringVar(&o.compress, "compress", "none", "none, CM (a byte a value), CM2 (two bytes) or CM3 (a byte, one scale)")
	f.BoolVar(&o.skip, "skip-bad", false, "leave out recordings that cannot be used, and name them")
	threadsFlag(f, &o.Job.Threads, "threads (default all cores)")
	f.BoolVar(&o.json, "json", false, "print JSON")
	return c
}

// check refuses flags that contradict each other, before any file is read, and returns the files to
// write.
func (o *featuresOptions) check() (ark, scp string, err error) {
	if ark, scp, err = outputs("speech features", o.out); err != nil {
		return "", "", err
	}
	o.Job.Normalize = extract.Normalization(o.normalize)
	speaker := o.Job.Normalize == extract.Speaker
	switch {
	case speaker && o.Utt2Spk == "":
		err = usageErrorf("speech features: --normalize speaker needs --utt2spk")
	case !speaker && (o.Statistics != "" || o.WriteStatistics != ""):
		err = usageErrorf("speech features: statistics are those of speakers: they go with --normalize speaker")
	case matrixKinds[o.compress] == "":
		err = usageErrorf("speech features: --compress is none, CM, CM2 or CM3")
	}
	if o.Job.Threads == 0 {
		o.Job.Threads = runtime.GOMAXPROCS(0)
	}
	o.Job.Fbank.Rate, o.Job.Fbank.SnipEdges = o.rawRate, !o.allFrames
	return ark, scp, err
}

// outputs reads --out.
func outputs(command, out string) (ark, scp string, err error) {
	if both, ok := strings.CutPrefix(out, "ark,scp:"); ok {
		ark, scp, ok = strings.Cut(both, ",")
		if !ok || ark == "" || scp == "" || ark == scp {
			return "", "", usageErrorf("%s: --out ark,scp:ARCHIVE,SCRIPT names two files", command)
		}
	} else {
		stem, ok := strings.CutSuffix(strings.TrimPrefix(out, "ark:"), ".ark")
		if !ok || stem == "" {
			return "", "", usageErrorf("%s: --out FILE.ark is missing: the script then is FILE.scp", command)
		}
		ark, scp = stem+".ark", stem+".scp"
	}
	for _, name := range []string{ark, scp} {
		if name == "-" || strings.ContainsAny(name, "|") {
			return "", "", usageErrorf("%s: %q: archives are written to files", command, name)
		}
	}
	return ark, scp, nil
}

func runSpeechFeatures(ctx context.Context, a *app, o *featuresOptions, inputs []string) error {
	ark, scp, err := o.check()
	if err != nil {
		return err
	}
	return a.interruptible(ctx, "Stopped; nothing was written.", func(ctx context.Context) error {
		return a.speechFeatures(ctx, o, inputs, ark, scp)
	})
}

func (a *app) speechFeatures(ctx context.Context, o *featuresOptions, inputs []string, ark, scp string) error {
	bar := &counter{a: a, label: "features"}
	defer bar.close()
	o.Kind, o.OnStart = matrixKinds[o.compress], bar.begin
	o.Job.OnDone = func(done, _ int) { bar.set(done) }
	if o.skip {
		o.Job.OnBad = func(_ string, err error) error {
			bar.close()
			a.say("left out: %s", text.Printable(err.Error()))
			return nil
		}
	}
	r, err := experiment.ComputeFeatures(ctx, inputs, ark, scp, o.FeaturesOptions)
	if err != nil {
		return err
	}
	bar.close()
	if o.json {
		return a.printJSON(r)
	}
	_, err = fmt.Fprintf(a.out, "%s, %s: %s, %s of %d values (%s of sound at %d Hz)\n", text.Printable(ark), text.Printable(scp), text.Count(r.Utterances, "utterance"),
		text.Count(r.Frames, "frame"), r.Dim, inSeconds(r.Seconds), r.Rate)
	if r.Beyond > 0 {
		a.say("cut at the end of the recording, which they pass by up to %.3[2]g s: %[1]s, such as %[3]s", text.Count(r.Beyond, "segment"), r.BeyondSeconds, text.Printable(r.BeyondFirst))
	}
	if r.Left > 0 {
		a.say("%s left out", text.Count(r.Left, "recording"))
	}
	return err
}
