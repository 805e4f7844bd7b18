package corpus

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"resnet/internal/datasets/fault"
	"resnet/internal/datasets/speech"
	"resnet/internal/datasets/speech/htk"
	"resnet/internal/datasets/speech/kaldi"
	"resnet/internal/datasets/speech/recording"
)

// openKaldi lists a data directory of Kaldi: feats.scp or, without it, wav.scp (and segments);
// utt2spk, without which every utterance has a speaker of its own; utt2num_frames, without which
// every matrix is read once; and cmvn.scp where normalisation is by speaker.
func openKaldi(ctx context.Context, dir string, c Config) (*listing, error) {
	if !isDir(dir) {
		return nil, fault.Errorf(fault.ErrMissing, "%s: no such folder: data.dir names a Kaldi data directory", dir)
	}
	feats := filepath.Join(dir, "feats.scp")
	if !exists(feats) {
		if wav := filepath.Join(dir, "wav.scp"); exists(wav) {
			return openWavScp(ctx, dir, wav, c)
		}
		return nil, fault.Errorf(fault.ErrMissing, "%s: neither feats.scp nor wav.scp is in this folder: `resnet speech features` makes the first", dir)
	}
	scp, err := kaldi.ReadScp(feats)
	if err != nil {
		return nil, err
	}
	l := &listing{read: scpReader{scp}}
	for i, e := range scp.Entries {
		l.utts = append(l.utts, utterance{id: e.Key, path: feats, label: NoLabel, ref: i})
	}
	if err := l.readSpeakers(dir); err != nil {
		return nil, err
	}
	if err := l.measure(ctx, filepath.Join(dir, "utt2num_frames")); err != nil {
		return nil, err
	}
	if c.Frontend.Normalize == BySpeaker {
		return l, l.readCMVN(ctx, filepath.Join(dir, "cmvn.scp"))
	}
	return l, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// scpReader reads matrices where a script says they are, each time anew: a corpus may be larger
// than the memory. An entry may also name a feature file of HTK.
type scpReader struct{ scp *kaldi.Scp }

func (r scpReader) features(ref int) (speech.Features, error) {
	e := r.scp.Entries[ref]
	if path, err := r.scp.Locate(e); err == nil && e.Offset == 0 && !e.Rows.Set && !e.Cols.Set && htk.FileFits(path) {
		f, err := htk.ReadFile(path)
		if err != nil {
			return speech.Features{}, fmt.Errorf("%s:%d: %s: %w", r.scp.Name, e.Line, e.Key, err)
		}
		return speech.Features{Frames: f.Frames, Dim: f.Dim, Data: f.Data}, nil
	}
	v, err := r.scp.Read(e)
	if err != nil {
		return speech.Features{}, err
	}
	f, err := speech.FromKaldi(v)
	if err != nil {
		return f, fmt.Errorf("%s:%d: %s: %w", r.scp.Name, e.Line, e.Key, err)
	}
	return f, nil
}

// readSpeakers names the speakers by utt2spk.
func (l *listing) readSpeakers(dir string) error {
	path := filepath.Join(dir, "utt2spk")
	speakers := map[string]string{}
	if exists(path) {
		pairs, err := kaldi.ReadTable(path)
		if err != nil {
			return err
		}
		for _, p := range pairs {
			speakers[p.Key] = p.Value
		}
	}
	for i := range l.utts {
		u := &l.utts[i]
		if u.speaker = speakers[u.id]; u.speaker == "" {
			if len(speakers) > 0 {
				return fault.Dataf("%s: utterance %s of %s is not in it", path, u.id, u.path)
			}
			u.speaker = u.id
		}
	}
	return nil
}

// measure finds the frames of every utterance, and the values of a frame.
func (l *listing) measure(ctx context.Context, path string) error {
	known := map[string]int{}
	if exists(path) {
		pairs, err := kaldi.ReadTable(path)
		if err != nil {
			return err
		}
		for _, p := range pairs {
			n, err := strconv.Atoi(p.Value)
			if err != nil || n < 1 {
				return fault.Dataf("%s: %s: %q is no number of frames", path, p.Key, p.Value)
			}
			known[p.Key] = n
		}
	}
	for i := range l.utts {
		u := &l.utts[i]
		if n, ok := known[u.id]; ok && i > 0 {
			u.frames = n
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		f, err := l.read.features(u.ref)
		if err != nil {
			return err
		}
		if u.frames = f.Frames; i == 0 {
			l.dim = f.Dim
		}
		if f.Dim != l.dim {
			return fault.Dataf("%s: frames of %s have %d values, and those of %s %d", u.path, u.id, f.Dim, l.utts[0].id, l.dim)
		}
	}
	return nil
}

// readCMVN takes the statistics of the speakers from cmvn.scp or, where there is none, from the
// features.
func (l *listing) readCMVN(ctx context.Context, path string) error {
	l.speakers = map[string]*speech.CMVN{}
	if exists(path) {
		l.given = true
		return kaldi.Each(path, func(key string, v kaldi.Value) error {
			data, err := v.Float64()
			if err == nil {
				l.speakers[key], err = speech.CMVNFromMatrix(v.Rows, v.Cols, data)
			}
			if err != nil {
				return fmt.Errorf("%s: %s: %w", path, key, err)
			}
			return nil
		})
	}
	for _, u := range l.utts {
		if err := ctx.Err(); err != nil {
			return err
		}
		f, err := l.read.features(u.ref)
		if err != nil {
			return err
		}
		if l.speakers[u.speaker] == nil {
			l.speakers[u.speaker] = speech.NewCMVN(l.dim)
		}
		if err := l.speakers[u.speaker].Add(f); err != nil {
			return fmt.Errorf("%s: %s: %w", u.path, u.id, err)
		}
	}
	return nil
}

// openWavScp lists the recordings of wav.scp, or the segments of them.
func openWavScp(ctx context.Context, dir, path string, c Config) (*listing, error) {
	found, err := recording.Script(path)
	if err != nil {
		return nil, err
	}
	if segments := filepath.Join(dir, "segments"); exists(segments) {
		if found, err = recording.Cut(found, segments); err != nil {
			return nil, err
		}
	}
	l := &listing{}
	for _, r := range found {
		l.utts = append(l.utts, utterance{id: r.Key, path: r.Path, sound: r})
	}
	if err := l.readSpeakers(dir); err != nil {
		return nil, err
	}
	return measureRecordings(ctx, l.utts, c)
}
