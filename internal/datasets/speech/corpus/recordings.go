package corpus

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"resnet/internal/datasets/fault"
	"resnet/internal/datasets/speech"
	"resnet/internal/datasets/speech/recording"
)

// openRecordings lists the recordings of a folder and those below it: the utterance is the path
// without its ending, with - for /. A file utt2spk in the folder names the speakers; without one
// each is the folder that its recording is in.
func openRecordings(ctx context.Context, dir string, c Config) (*listing, error) {
	utts, err := findRecordings(dir)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "utt2spk")
	if _, err := os.Stat(path); err == nil {
		speakers, err := readPairs(path)
		if err != nil {
			return nil, err
		}
		for i := range utts {
			if s, ok := speakers[utts[i].id]; ok {
				utts[i].speaker = s
			}
		}
	}
	return measureRecordings(ctx, utts, c)
}

// openFSDD lists the Free Spoken Digit Dataset (Jakobovski et al., CC BY-SA 4.0): recordings named
// DIGIT_SPEAKER_NUMBER.wav, in the folder or in recordings/ below it.
func openFSDD(ctx context.Context, dir string, c Config) (*listing, error) {
	if sub := filepath.Join(dir, "recordings"); isDir(sub) {
		dir = sub
	}
	utts, err := findRecordings(dir)
	if err != nil {
		return nil, fmt.Errorf("%w (the Free Spoken Digit Dataset is at https://github.com/Jakobovski/free-spoken-digit-dataset)", err)
	}
	for i := range utts {
		u := &utts[i]
		name := strings.Split(filepath.Base(u.id), "_")
		if len(name) != 3 || len(name[0]) != 1 || name[0] < "0" || name[0] > "9" || name[1] == "" {
			return nil, fault.Dataf("%s: the name is not DIGIT_SPEAKER_NUMBER.wav", u.path)
		}
		u.class, u.speaker = name[0], name[1]
	}
	return measureRecordings(ctx, utts, c)
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// findRecordings lists the recordings below a folder, sorted.
func findRecordings(dir string) ([]utterance, error) {
	var utts []utterance
	// With a separator at its end, dir may be a link.
	err := filepath.WalkDir(dir+string(filepath.Separator), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		hidden := strings.HasPrefix(d.Name(), ".") && filepath.Clean(path) != filepath.Clean(dir)
		if d.IsDir() {
			if hidden {
				return fs.SkipDir
			}
			return nil
		}
		if hidden || !recording.IsSound(path) {
			return nil
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		id := strings.ReplaceAll(filepath.ToSlash(strings.TrimSuffix(rel, filepath.Ext(path))), "/", "-")
		id = strings.ReplaceAll(id, " ", "_")
		utts = append(utts, utterance{id: id, speaker: filepath.Base(filepath.Dir(path)), path: path, sound: recording.Recording{Key: id, Path: path}})
		return nil
	})
	if err != nil {
		return nil, fault.Opening(dir, pathCause(err), "data.dir names the folder of the recordings")
	}
	if len(utts) == 0 {
		return nil, fault.Errorf(fault.ErrMissing, "%s: no %s in this folder", dir, recording.Endings())
	}
	seen := map[string]string{}
	for _, u := range utts {
		if other, again := seen[u.id]; again {
			return nil, fault.Dataf("%s and %s: both are utterance %s: rename one", other, u.path, u.id)
		}
		seen[u.id] = u.path
	}
	return utts, nil
}

// pathCause is what is wrong with a path, without the path.
func pathCause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// memory holds the static features of recordings, which are computed once.
type memory []recorded

// recorded is what is kept of a recording, or of a part of one.
type recorded struct {
	speech.Features
	samples int
	sum     string  // digest of the samples
	beyond  float64 // seconds by which its end lies behind the recording's
}

func (m memory) features(ref int) (speech.Features, error) {
	f := m[ref].Features
	f.Data = slices.Clone(f.Data)
	return f, nil
}

// measureRecordings computes the filter banks of all recordings; they stay in memory: 80 banks of a
// second take 32 KB.
func measureRecordings(ctx context.Context, utts []utterance, c Config) (*listing, error) {
	m := make(memory, len(utts))
	errs := make([]error, len(utts))
	next := make(chan int)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range next {
				m[i], errs[i] = readPart(utts[i], c.Frontend)
			}
		})
	}
	for i := range utts {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for i := range utts {
		if errs[i] != nil {
			return nil, errs[i] // the first, whatever the order of the work
		}
		utts[i].ref, utts[i].frames, utts[i].label = i, m[i].Frames, NoLabel
	}
	l := &listing{utts: utts, read: m, dim: c.Frontend.Fbank().Dim(), notes: beyond(utts, m)}
	if c.Frontend.Normalize == BySpeaker {
		l.speakers = map[string]*speech.CMVN{}
		for i, u := range utts {
			if l.speakers[u.speaker] == nil {
				l.speakers[u.speaker] = speech.NewCMVN(l.dim)
			}
			if err := l.speakers[u.speaker].Add(m[i].Features); err != nil {
				return nil, err
			}
		}
	}
	return l, nil
}

// beyond says which segments end behind their recording.
func beyond(utts []utterance, m memory) []string {
	n, first, most := 0, "", 0.0
	for i, u := range utts {
		if s := m[i].beyond; s > 0 {
			if n++; n == 1 {
				first = u.id
			}
			most = max(most, s)
		}
	}
	if n == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%d of %d segments pass the end of their recording by up to %.3g s and were cut there, such as %s", n, len(utts), most, first)}
}

// ReadRecording computes the filter banks of a recording of one channel. It fails, naming the file,
// when it is shorter than a window.
func ReadRecording(path string, f Frontend) (speech.Features, error) {
	r, err := readPart(utterance{sound: recording.Recording{Path: path}}, f)
	return r.Features, err
}

// readPart computes the filter banks of an utterance's part of its recording.
func readPart(u utterance, front Frontend) (recorded, error) {
	s, err := u.sound.Open()
	if err != nil {
		return recorded{}, err
	}
	defer s.Close()
	if front.Resample {
		if err := s.Resample(front.Rate); err != nil {
			return recorded{}, err
		}
	}
	sum := newSampleDigest(s.Rate)
	f, n, err := front.Fbank().ComputeStream(s, -1, u.sound.Start, u.sound.End, sum.add)
	if err != nil && (u.sound.Start != 0 || u.sound.End > 0) {
		err = fmt.Errorf("utterance %s: %w", u.id, err)
	}
	if err != nil {
		return recorded{}, err
	}
	return recorded{f, int(n), sum.Sum(), s.Beyond}, nil
}
