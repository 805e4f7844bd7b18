package corpus

import (
	"slices"

	"resnet/internal/datasets"
	"resnet/internal/datasets/fault"
	"resnet/internal/datasets/speech"
)

// Speakers are the speakers of a split, sorted.
func (o *Corpus) Speakers(s datasets.Split) []string {
	if p := o.parts[s]; p != nil {
		return speakersOf(p.utts)
	}
	return nil
}

// OfSpeaker are the indices of a speaker's utterances in a split.
func (o *Corpus) OfSpeaker(s datasets.Split, speaker string) []int {
	var list []int
	for i := range o.Len(s) {
		if o.Speaker(s, i) == speaker {
			list = append(list, i)
		}
	}
	return list
}

// NameSpeakers says who spoke the utterances of a split, from a file of lines UTTERANCE SPEAKER
// like Kaldi's utt2spk. It fails when an utterance is missing there. Normalisation by speaker keeps
// the speakers that were known when the corpus was opened, so it is refused.
func (o *Corpus) NameSpeakers(s datasets.Split, path string) error {
	if o.cfg.Frontend.Normalize == BySpeaker {
		return fault.Errorf(fault.ErrConfig, "%s: the front end normalises by speaker: put utt2spk into the data directory", path)
	}
	pairs, err := readPairs(path)
	if err != nil {
		return err
	}
	p := o.parts[s]
	utts := slices.Clone(p.utts)
	for i := range utts {
		speaker, ok := pairs[utts[i].id]
		if !ok {
			return fault.Dataf("%s: utterance %s is not in it", path, utts[i].id)
		}
		utts[i].speaker = speaker
	}
	o.parts[s] = &part{from: p.from, utts: utts}
	return nil
}

// Adapt makes Read give the utterances of a split through the transform of their speaker; name is
// where the transforms are from. It fails with fault.ErrData when a speaker has none.
func (o *Corpus) Adapt(s datasets.Split, name string, by map[string]speech.Transform) error {
	known := map[string]bool{}
	for k := range by {
		known[k] = true
	}
	for _, speaker := range o.Speakers(s) {
		if !known[speaker] {
			return fault.Dataf("%s: it has no transform for the speaker %q, who spoke %s: it has %s; estimate one with his utterances, or correct utt2spk",
				name, speaker, o.ID(s, o.OfSpeaker(s, speaker)[0]), someOf(sortedKeys(known)))
		}
	}
	o.parts[s].adapted = by
	return nil
}

// AlignmentFiles are Config's Alignments, States and AlignmentSubsampling (0: 1).
type AlignmentFiles struct {
	Files, States string
	Subsampling   int
}

// AlignTest gives the test split's frames the labels of alignments, of classes 0 to classes-1;
// utterances without one are left out.
func (o *Corpus) AlignTest(a AlignmentFiles, classes int) error {
	pattern := a.Files
	o.cfg.Alignments, o.cfg.States, o.cfg.AlignmentSubsampling = a.Files, a.States, a.Subsampling
	if err := o.align(datasets.Test); err != nil {
		return err
	}
	for _, u := range o.parts[datasets.Test].utts {
		for t, k := range o.ali[u.id] {
			if (k < 0 && !o.gaps) || int(k) >= classes {
				return fault.Dataf("%s: utterance %s: frame %d has class %d, and the network has classes 0 to %d", pattern, u.id, t, k, classes-1)
			}
		}
	}
	return nil
}
