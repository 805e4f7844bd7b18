package corpus

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"resnet/internal/datasets"
	"resnet/internal/datasets/fault"
	"resnet/internal/datasets/speech"
	"resnet/internal/datasets/speech/recording"
	"resnet/internal/fielderr"
)

// List opens utterances without labels, as a corpus whose test split they are: each path is a Kaldi
// data directory (with feats.scp or wav.scp), a folder of recordings, or a recording. It fails as
// Open does.
func List(ctx context.Context, paths []string, f Frontend) (*Corpus, error) {
	c := DefaultConfig()
	c.Frontend = f
	if errs := c.Validate(); len(errs) > 0 {
		return nil, fielderr.Join(errs)
	}
	var all *listing
	for _, path := range paths {
		l, err := listPath(ctx, path, c)
		if err != nil {
			return nil, err
		}
		if all, err = all.join(l); err != nil {
			return nil, err
		}
	}
	if all == nil {
		return nil, fault.Errorf(fault.ErrConfig, "no utterances are named")
	}
	o := &Corpus{
		cfg: c, parts: map[datasets.Split]*part{datasets.Test: {from: all, utts: all.utts}},
		info: Info{Name: "utterances", Dim: all.dim * (1 + f.Deltas), Test: len(all.utts), Notes: all.notes},
	}
	for i := range all.utts {
		all.utts[i].label = NoLabel
	}
	return o, nil
}

func listPath(ctx context.Context, path string, c Config) (*listing, error) {
	switch {
	case isDir(path) && (exists(filepath.Join(path, "feats.scp")) || exists(filepath.Join(path, "wav.scp"))):
		return openKaldi(ctx, path, c)
	case isDir(path):
		return openRecordings(ctx, path, c)
	}
	if _, err := os.Stat(path); err != nil {
		return nil, fault.Opening(path, pathCause(err), "name a recording, a folder of recordings or a Kaldi data directory")
	}
	id := strings.ReplaceAll(strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)), " ", "_")
	return measureRecordings(ctx, []utterance{{id: id, speaker: id, path: path, sound: recording.Recording{Key: id, Path: path}}}, c)
}

// join puts the utterances of another listing behind those of l, which may be nil.
func (l *listing) join(o *listing) (*listing, error) {
	if l == nil {
		return o, nil
	}
	if l.dim != o.dim {
		return nil, fault.Dataf("%s: frames of %d values, and those of %s have %d", o.utts[0].path, o.dim, l.utts[0].path, l.dim)
	}
	seen := map[string]bool{}
	for _, u := range l.utts {
		seen[u.id] = true
	}
	out := &listing{utts: slices.Clone(l.utts), dim: l.dim, read: joined{l.read, o.read, len(l.utts)}, speakers: map[string]*speech.CMVN{}, notes: slices.Concat(l.notes, o.notes)}
	for _, u := range o.utts {
		if seen[u.id] {
			return nil, fault.Dataf("%s: utterance %s is named twice", u.path, u.id)
		}
		u.ref += len(l.utts)
		out.utts = append(out.utts, u)
	}
	for _, from := range []*listing{l, o} {
		for name, stats := range from.speakers {
			out.speakers[name] = stats
		}
	}
	return out, nil
}

// joined is two readers, the second one's utterances numbered from n on.
type joined struct {
	a, b reader
	n    int
}

// fingerprint is of the corpora of trainings, and those are not joined.
func (joined) fingerprint(context.Context, []utterance) (sizes, contents string, err error) {
	return "", "", nil
}

func (j joined) features(ref int) (speech.Features, error) {
	if ref < j.n {
		return j.a.features(ref)
	}
	return j.b.features(ref - j.n)
}
