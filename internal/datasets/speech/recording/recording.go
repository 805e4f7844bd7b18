package recording

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
	// The one of several that it is, counted from 1; 0: not said, and to be chosen where there are
	// several.
	Channel int

	command command // the line of a wav.scp that decodes the file; zero for none
	text    string  // the command as it stands there
}

// endings are what a file in a folder has to end in to be taken for a recording.
var endings = []string{".wav", ".flac", ".sph", ".nist", ".w64", ".rf64"}

// Kinds are the endings of recordings, in small letters with their point.
func Kinds() []string { return slices.Clone(endings) }

// Endings lists them for a message.
func Endings() string {
	return strings.Join(endings[:len(endings)-1], ", ") + " or " + endings[len(endings)-1]
}

// IsSound reports whether a file in a folder is taken for a recording, by its name.
func IsSound(name string) bool { return slices.Contains(endings, strings.ToLower(filepath.Ext(name))) }

// Find lists the recordings of inputs: a name that ends in `.scp`, or begins with `scp:`, is a
// Kaldi wav.scp; a folder stands for the recordings in it and below it, by name; anything
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
		if all, err = Cut(all, segments); err != nil {
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
		return Script(path)
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

// Script lists the recordings of a wav.scp: files, and commands that only decode one.
func Script(path string) ([]Recording, error) {
	scp, err := ReadScript(path)
	if err != nil {
		return nil, err
	}
	all := make([]Recording, len(scp.Entries))
	for i, e := range scp.Entries {
		if all[i], err = Of(scp, e); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// ReadScript reads a wav.scp; Of gives the recordings of its entries.
func ReadScript(path string) (*kaldi.Scp, error) {
	return kaldi.ReadScpWith(path, func(text string) (string, bool) {
		c, ok := parseCommand(text)
		return c.file, ok
	})
}

// Of is the recording of an entry of a script of ReadScript.
func Of(scp *kaldi.Scp, e kaldi.Entry) (Recording, error) {
	if e.Rows.Set || e.Cols.Set {
		return Recording{}, fault.Dataf("%s:%d: %q: a range of rows of a recording: parts of recordings are named in a file of segments", scp.Name, e.Line, e.Key)
	}
	file, err := scp.Locate(e)
	if err != nil {
		return Recording{}, err
	}
	r := Recording{Key: e.Key, Path: file, Offset: e.Offset, text: e.Command}
	if e.Command != "" {
		r.command, _ = parseCommand(e.Command)
	}
	return r, nil
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
		if d.IsDir() || hidden || !IsSound(path) {
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
		return nil, fault.Errorf(fault.ErrMissing, "%s: no file in it ends in %s", dir, Endings())
	}
	return all, nil
}

// Cut makes utterances of parts of recordings, as a file `segments` says.
func Cut(recordings []Recording, path string) ([]Recording, error) {
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
		r.Key, r.Start, r.End, r.Channel = s.Utterance, s.Start, s.End, s.Channel+1
		all[i] = r
	}
	return all, nil
}

// Chosen reports whether the recording says which channel it is: then its stream has one.
func (r Recording) Chosen() bool { return r.Channel > 0 || r.command.channel > 0 }

// Open begins to read the recording: its channel, where one is said.
func (r Recording) Open() (*audio.Stream, error) {
	s, err := audio.Open(r.Path, r.Offset)
	if err != nil {
		return nil, err
	}
	for _, c := range []int{r.command.channel, r.Channel} {
		if c > 0 && err == nil {
			err = s.Pick(c - 1)
		}
	}
	if err == nil {
		err = r.command.leaves(s, r.text)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// leaves fails where the command would change the samples.
func (c command) leaves(s *audio.Stream, text string) error {
	what := ""
	switch bits, whole := s.Bits(); {
	case c.rate != 0 && c.rate != s.Rate:
		what = fmt.Sprintf("resample %d samples a second to %d", s.Rate, c.rate)
	case c.channels != 0 && c.channels != s.Channels:
		what = fmt.Sprintf("mix %d channels to %d", s.Channels, c.channels)
	case c.bits != 0 && (!whole || bits > c.bits):
		what = fmt.Sprintf("round %s to %d bits", s.Encoding, c.bits)
	default:
		return nil
	}
	return fault.Dataf("%s: the command would %s (%s |): commands in data are never run, and decoding is all that is done instead: run it once yourself, `%s > FILE`, and name FILE",
		s.Name, what, text, text)
}
