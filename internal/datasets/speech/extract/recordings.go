package extract

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"resnet/internal/datasets/fault"
	"resnet/internal/datasets/speech/audio"
	"resnet/internal/datasets/speech/kaldi"
)

// Recording is an utterance and where its sound is.
type Recording struct {
	Key    string
	Path   string
	Offset int64   // bytes to the recording: in an archive of recordings it is behind its key
	Start  float64 // seconds
	End    float64 // seconds; 0 or less is the end of the recording
}

// endings are what a file in a folder has to end in to be taken for a recording.
var endings = []string{".wav", ".flac"}

// Find lists the recordings of inputs: a name that ends in `.scp`, or begins with `scp:`, is a
// Kaldi wav.scp; a folder stands for the WAV and FLAC files in it and below it, by name; anything
// else is a recording. The key of a file is its path from the folder without the ending, with - for
// /. With segments, a file in Kaldi's form, the utterances are parts of these recordings. A key
// that comes twice is fault.ErrData.
func Find(inputs []string, segments string) ([]Recording, error) {
	var all []Recording
	for _, input := range inputs {
		found, err := find(input)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	if segments != "" {
		var err error
		if all, err = cutSegments(all, segments); err != nil {
			return nil, err
		}
	}
	seen := map[string]string{}
	for _, r := range all {
		if first, twice := seen[r.Key]; twice {
			return nil, fault.Dataf("the key %q comes twice: %s and %s: rename one, or list them in a wav.scp", r.Key, first, r.Path)
		}
		seen[r.Key] = r.Path
	}
	return all, nil
}

func find(input string) ([]Recording, error) {
	script, path, err := kaldi.IsScript(input)
	if err != nil {
		return nil, err
	}
	if script {
		return readWavScp(path)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fault.Errorf(fault.ErrMissing, "%s: no such file or folder", path)
	}
	if info.IsDir() {
		return readFolder(path)
	}
	return []Recording{{Key: keyOf(filepath.Base(path)), Path: path}}, nil
}

// keyOf makes a key of a path: a word, without the ending.
func keyOf(path string) string {
	path = filepath.ToSlash(strings.TrimSuffix(path, filepath.Ext(path)))
	return strings.Join(strings.Fields(strings.ReplaceAll(path, "/", "-")), "_")
}

func readWavScp(path string) ([]Recording, error) {
	scp, err := kaldi.ReadScp(path)
	if err != nil {
		return nil, err
	}
	var all []Recording
	for _, e := range scp.Entries {
		if e.Rows.Set || e.Cols.Set {
			return nil, fault.Dataf("%s:%d: %q: a range of rows of a recording: parts of recordings are named in a file of segments", path, e.Line, e.Key)
		}
		file, err := scp.Locate(e)
		if err != nil {
			return nil, err
		}
		all = append(all, Recording{Key: e.Key, Path: file, Offset: e.Offset})
	}
	return all, nil
}

func readFolder(dir string) ([]Recording, error) {
	var all []Recording
	// With a separator at its end, dir may be a link.
	err := filepath.WalkDir(dir+string(filepath.Separator), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		hidden := strings.HasPrefix(d.Name(), ".") && filepath.Clean(path) != filepath.Clean(dir)
		if d.IsDir() && hidden {
			return filepath.SkipDir
		}
		if d.IsDir() || hidden || !slices.Contains(endings, strings.ToLower(filepath.Ext(path))) {
			return nil
		}
		inside, err := filepath.Rel(dir, path)
		all = append(all, Recording{Key: keyOf(inside), Path: path})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	if len(all) == 0 {
		return nil, fault.Errorf(fault.ErrMissing, "%s: no file in it ends in .wav or .flac", dir)
	}
	return all, nil
}

// cutSegments makes utterances of parts of recordings.
func cutSegments(recordings []Recording, path string) ([]Recording, error) {
	segments, err := kaldi.ReadSegments(path)
	if err != nil {
		return nil, err
	}
	by := map[string]Recording{}
	for _, r := range recordings {
		by[r.Key] = r
	}
	all := make([]Recording, len(segments))
	for i, s := range segments {
		r, ok := by[s.Recording]
		if !ok {
			return nil, fault.Dataf("%s: %q: there is no recording %q", path, s.Utterance, s.Recording)
		}
		r.Key, r.Start, r.End = s.Utterance, s.Start, s.End
		all[i] = r
	}
	return all, nil
}

// Open begins to read the recording.
func (r Recording) Open() (*audio.Stream, error) { return audio.Open(r.Path, r.Offset) }

// rate reads the recording, to its end, and returns its samples a second.
func (r Recording) rate(channel int) (int, error) {
	s, err := r.Open()
	if err != nil {
		return 0, err
	}
	defer s.Close()
	_, err = s.Each(channel, r.Start, r.End, func([]float32) error { return nil })
	return s.Rate, err
}
