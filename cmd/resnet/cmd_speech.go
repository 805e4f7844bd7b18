package main

import "github.com/spf13/cobra"

func newSpeechCmd(a *app) *cobra.Command {
	return group("speech", "Features of recordings, what is in files of speech, what networks say of frames, and adaptation to speakers",
		"Works with recordings (WAV, FLAC), with the files of Kaldi (ark, scp, wav.scp, segments, utt2spk) and of HTK. docs/speech.md has more."+exitHelp(help65, help66, help74),
		"  resnet speech features data/wav.scp --bins 80 --deltas 2 --normalize utterance --out feats.ark\n  resnet speech info feats.scp",
		newSpeechFeaturesCmd(a), newSpeechInfoCmd(a), newSpeechPosteriorsCmd(a), newSpeechAdaptCmd(a))
}
