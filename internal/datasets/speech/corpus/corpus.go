package corpus

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"resnet/internal/datasets"
	"resnet/internal/datasets/fault"
	"resnet/internal/datasets/speech"
	"resnet/internal/datasets/speech/recording"
	"resnet/internal/fielderr"
)

// NoLabel is the label of a frame or an utterance that has none.
const NoLabel = -1

// utterance is one of a listing.
type utterance struct {
	id, speaker string
	path        string // of its recording, or the scp that names it
	frames      int
	label       int // class, or NoLabel
	class       string
	ref         int                 // in the listing's reader
	sound       recording.Recording // where features are computed
}

// reader gives the static features of utterance ref, a copy that the caller may change.
type reader interface {
	features(ref int) (speech.Features, error)
	// fingerprint gives the digests of the sizes and the contents of utterances, the latter ""
	// where they are too large: see datasets.SplitPrint.
	fingerprint(ctx context.Context, utts []utterance) (sizes, contents string, err error)
}

// listing is a folder of a corpus.
type listing struct {
	utts     []utterance
	read     reader
	dim      int                     // values of a static frame
	speakers map[string]*speech.CMVN // statistics by speaker; nil where they are not used
	given    bool                    // the statistics are from a file, and not of the features
	notes    []string                // for people, see Info
}

// splits are the parts, in the order in which they are worked on.
var splits = []datasets.Split{datasets.Train, datasets.Val, datasets.Test}

// part is a split: utterances of a listing.
type part struct {
	from    *listing
	utts    []utterance
	adapted map[string]speech.Transform // by speaker; nil where frames stay as they are
}

// Info describes a corpus.
type Info struct {
	Name string `json:"name"`
	// Names by index; nil where classes are numbers, of alignments.
	Classes []string `json:"classes"`
	Count   int      `json:"count"` // classes
	Dim     int      `json:"dim"`   // values of a frame, differences included
	Train   int      `json:"train"` // utterances
	Val     int      `json:"val"`
	Test    int      `json:"test"`
	Frames  int      `json:"frames"` // of the training utterances
	Aligned bool     `json:"aligned"`
	// Notes say what was left out or trimmed, for people.
	Notes []string `json:"notes"`
}

// Corpus is an open corpus. Its methods may be called by several goroutines at once.
type Corpus struct {
	info  Info
	cfg   Config
	parts map[datasets.Split]*part
	ali   map[string][]int32 // by utterance; nil without alignments
	gaps  bool               // labels have times, and frames between them have none
	count []int64            // training frames of each class
	print datasets.Printed
}

// kinds are the corpora that Open knows.
var kinds = map[string]func(ctx context.Context, dir string, c Config) (*listing, error){
	"fsdd":       openFSDD,
	"kaldi":      openKaldi,
	"recordings": openRecordings,
}

// Open lists a corpus and its labels and computes or measures its features: name and dir are those
// of the data section, as are limit and validation (utterances held out of the training set, drawn
// by seed). It fails with datasets.ErrMissing, ErrData or ErrConfig, naming the file.
func Open(ctx context.Context, d datasets.Config, c Config, seed uint64) (*Corpus, error) {
	open := kinds[d.Name]
	if open == nil {
		return nil, fault.Errorf(fault.ErrConfig, "data.name: %q is no speech corpus: fsdd, kaldi or recordings", d.Name)
	}
	if errs := c.Validate(); len(errs) > 0 {
		return nil, fielderr.Join(errs)
	}
	o := &Corpus{cfg: c, parts: map[datasets.Split]*part{}, info: Info{Name: d.Name}}
	for _, s := range []struct {
		split datasets.Split
		dir   string
	}{{datasets.Train, d.Dir}, {datasets.Val, c.ValDir}, {datasets.Test, c.TestDir}} {
		if s.dir == "" {
			if s.split == datasets.Train {
				return nil, fault.Errorf(fault.ErrConfig, "data.dir: %s needs the folder that holds it", d.Name)
			}
			continue
		}
		l, err := open(ctx, s.dir, c)
		if err != nil {
			return nil, err
		}
		o.parts[s.split] = &part{from: l, utts: l.utts}
		o.info.Notes = append(o.info.Notes, l.notes...)
	}
	return o, o.prepare(d, seed)
}

// prepare divides, labels and counts.
func (o *Corpus) prepare(d datasets.Config, seed uint64) error {
	train := o.parts[datasets.Train]
	if err := o.bySpeaker(datasets.Test, o.cfg.TestSpeakers); err != nil {
		return err
	}
	if err := o.bySpeaker(datasets.Val, o.cfg.ValSpeakers); err != nil {
		return err
	}
	if err := o.label(); err != nil {
		return err
	}
	if d.Validation > 0 {
		if err := o.holdOut(datasets.Portion(d.Validation, len(train.utts)), seed); err != nil {
			return err
		}
	}
	if n := o.cfg.MaxFrames; n > 0 {
		before := len(train.utts)
		train.utts = slices.DeleteFunc(slices.Clone(train.utts), func(u utterance) bool { return u.frames > n })
		if left := before - len(train.utts); left > 0 {
			o.note("%d training utterances longer than %d frames are left out", left, n)
		}
	}
	if d.Limit > 0 && d.Limit < len(train.utts) {
		train.utts = train.utts[:d.Limit]
	}
	if len(train.utts) == 0 {
		return fault.Errorf(fault.ErrConfig, "%s: no training utterance is left", d.Name)
	}
	o.info.Dim = train.from.dim * (1 + o.cfg.Frontend.Deltas)
	for _, split := range splits {
		if p := o.parts[split]; p != nil && p.from.dim != train.from.dim {
			return fault.Dataf("%s: frames of %d values in the %s split and of %d in training", d.Name, p.from.dim, split, train.from.dim)
		}
	}
	o.info.Train, o.info.Val, o.info.Test = o.Len(datasets.Train), o.Len(datasets.Val), o.Len(datasets.Test)
	return o.countFrames()
}

func (o *Corpus) note(format string, args ...any) {
	o.info.Notes = append(o.info.Notes, fmt.Sprintf(format, args...))
}

// bySpeaker moves the utterances of speakers, by commas, from the training split to another.
func (o *Corpus) bySpeaker(to datasets.Split, names string) error {
	if names == "" {
		return nil
	}
	if o.parts[to] != nil {
		return fault.Errorf(fault.ErrConfig, "speech.%s_speakers: speech.%s_dir is set as well: keep one", to, to)
	}
	train := o.parts[datasets.Train]
	out := &part{from: train.from}
	for _, name := range strings.Split(names, ",") {
		name = strings.TrimSpace(name)
		before := len(out.utts)
		var rest []utterance
		for _, u := range train.utts {
			if u.speaker == name {
				out.utts = append(out.utts, u)
			} else {
				rest = append(rest, u)
			}
		}
		if len(out.utts) == before {
			return fault.Errorf(fault.ErrConfig, "speech.%s_speakers: there is no speaker %q in the training folder: %s", to, name, someOf(speakersOf(train.utts)))
		}
		train.utts = rest
	}
	o.parts[to] = out
	return nil
}

func speakersOf(utts []utterance) []string {
	seen := map[string]bool{}
	for _, u := range utts {
		seen[u.speaker] = true
	}
	return sortedKeys(seen)
}

func sortedKeys(m map[string]bool) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// someOf lists names for a message, the first few of many.
func someOf(names []string) string {
	const most = 12
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

// holdOut moves n training utterances, drawn by seed, to the validation split. Both keep the
// corpus's order.
func (o *Corpus) holdOut(n int, seed uint64) error {
	train := o.parts[datasets.Train]
	if o.parts[datasets.Val] != nil {
		return fault.Errorf(fault.ErrConfig, "data.validation: validation utterances are named in the speech section as well: keep one")
	}
	if n >= len(train.utts) {
		return fault.Errorf(fault.ErrConfig, "data.validation is %d, and there are %d training utterances: none would be left", n, len(train.utts))
	}
	order := make([]int32, len(train.utts))
	datasets.PermuteUtterances(order, seed, ^uint64(0), 0) // no epoch
	chosen := make([]bool, len(order))
	for _, i := range order[:n] {
		chosen[i] = true
	}
	val := &part{from: train.from}
	var rest []utterance
	for i, u := range train.utts {
		if chosen[i] {
			val.utts = append(val.utts, u)
		} else {
			rest = append(rest, u)
		}
	}
	train.utts, o.parts[datasets.Val] = rest, val
	return nil
}

// Info describes the corpus.
func (o *Corpus) Info() Info {
	info := o.info
	info.Classes, info.Notes = slices.Clone(info.Classes), slices.Clone(info.Notes)
	return info
}

// Frontend is how its input is made.
func (o *Corpus) Frontend() Frontend { return o.cfg.Frontend }

// Counts are the training frames of each class: the class priors, before division.
func (o *Corpus) Counts() []int64 { return slices.Clone(o.count) }

// Len is the number of utterances of a split.
func (o *Corpus) Len(s datasets.Split) int {
	if p := o.parts[s]; p != nil {
		return len(p.utts)
	}
	return 0
}

// ID is the name of utterance i of a split, which must exist, as for the methods that follow.
func (o *Corpus) ID(s datasets.Split, i int) string { return o.parts[s].utts[i].id }

// Speaker is who spoke it.
func (o *Corpus) Speaker(s datasets.Split, i int) string { return o.parts[s].utts[i].speaker }

// Frames is its length.
func (o *Corpus) Frames(s datasets.Split, i int) int { return o.parts[s].utts[i].frames }

// Label is the class of the whole utterance, or NoLabel.
func (o *Corpus) Label(s datasets.Split, i int) int { return o.parts[s].utts[i].label }

// Lengths are the frames of all utterances of a split.
func (o *Corpus) Lengths(s datasets.Split) []int {
	lengths := make([]int, o.Len(s))
	for i := range lengths {
		lengths[i] = o.Frames(s, i)
	}
	return lengths
}

// Read gives the network's input for utterance i of a split, [T, Dim], and copies its frames'
// labels to labels [T], NoLabel where there is none: those of its alignment, or its own class for
// every frame. labels may be nil.
func (o *Corpus) Read(s datasets.Split, i int, labels []int32) (speech.Features, error) {
	p := o.parts[s]
	u := p.utts[i]
	f, err := p.from.read.features(u.ref)
	if err != nil {
		return f, err
	}
	if f.Dim != p.from.dim {
		return f, fault.Dataf("%s: frames of %s have %d values, and others %d", u.path, u.id, f.Dim, p.from.dim)
	}
	if f.Frames != u.frames {
		return f, fault.Dataf("%s: utterance %s has %d frames, and %d by utt2num_frames or when the corpus was opened", u.path, u.id, f.Frames, u.frames)
	}
	if f, err = o.cfg.Frontend.Finish(f, p.from.speakers[u.speaker]); err != nil {
		return f, fmt.Errorf("%s: utterance %s: %w", u.path, u.id, err)
	}
	if p.adapted != nil {
		if err := p.adapted[u.speaker].Apply(f); err != nil {
			return f, fmt.Errorf("%s: utterance %s: %w", u.path, u.id, err)
		}
	}
	if labels != nil {
		for t := range labels {
			labels[t] = int32(u.label)
		}
		if o.ali != nil {
			for t := range labels {
				labels[t] = NoLabel
			}
			copy(labels, o.ali[u.id])
		}
	}
	return f, nil
}
