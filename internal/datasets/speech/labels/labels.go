package labels

import (
	"errors"
	"math"
	"path"
	"strconv"
	"strings"

	"resnet/internal/datasets/fault"
	"resnet/internal/datasets/speech/kaldi"
)

// A Span is a stretch of an utterance that has a class, in seconds.
type Span struct {
	Start, End float64
	Class      int32
}

// Set is the labels of utterances.
type Set struct {
	file string
	by   map[string][]Span
	// From the ends of the names in label files, dir-name and name of "*/dir/name.lab", to by; ""
	// where there are several.
	ends map[string]string
}

// NoClass is the class of a frame in no span.
const NoClass = -1

// maxSeconds is longer than any utterance, and a number of frames fits its integer.
const maxSeconds = 1e7

// kinds of files.
const (
	notTimed = iota
	mlf
	ctm
)

const mlfMagic = "#!MLF!#"

// errSeen ends reading when enough has been seen.
var errSeen = errors.New("seen")

// Fits reports whether a file holds labels with times, by its first line.
func Fits(file string) bool { return kindOf(file) != notTimed }

func kindOf(file string) int {
	kind := notTimed
	// Another error is for the reader that is asked next.
	_ = kaldi.EachLine(file, func(_ int, key, rest string) error {
		f := strings.Fields(rest)
		switch {
		case strings.Trim(key, `"`) == mlfMagic:
			kind = mlf
		case strings.HasPrefix(key, ";;"):
			return nil
		case (len(f) == 4 || len(f) == 5) && f[0] != "[" && (strings.HasSuffix(strings.TrimSuffix(file, ".gz"), ".ctm") || strings.Contains(f[1]+f[2], ".")):
			if _, err := strconv.ParseFloat(f[1], 64); err == nil {
				kind = ctm
			}
		}
		return errSeen
	})
	return kind
}

// Read reads a master label file or a CTM. table may be nil, where labels are numbers. What is
// wrong is fault.ErrData, with file and line.
func Read(file string, table *Table) (*Set, error) {
	s := &Set{file: file, by: map[string][]Span{}, ends: map[string]string{}}
	switch kindOf(file) {
	case mlf:
		return s, s.readMLF(table)
	case ctm:
		return s, s.readCTM(table)
	}
	return nil, fault.Dataf("%s: neither a master label file nor a CTM", file)
}

// readMLF reads entries: a name in quotes, lines START END LABEL in units of 100 ns, perhaps with
// scores and names of higher levels, and a point.
func (s *Set) readMLF(table *Table) error {
	name, begun, phone := "", false, ""
	err := kaldi.EachLine(s.file, func(line int, key, rest string) error {
		text := strings.TrimSpace(key + " " + rest)
		switch {
		case line == 1 || strings.Trim(text, `"`) == mlfMagic:
			return nil
		case !begun:
			if len(text) < 3 || text[0] != '"' || text[len(text)-1] != '"' || strings.Contains(text[1:len(text)-1], `"`) {
				return fault.Dataf("%q: the name of an entry is wanted, in quotes (patterns with -> are not read)", text)
			}
			name, begun, phone = text[1:len(text)-1], true, ""
			return s.begin(name)
		case text == ".":
			begun = false
			return nil
		}
		f := strings.Fields(text)
		if len(f) < 3 {
			return fault.Dataf("%q: a line is start, end and label: labels without times are no alignment", text)
		}
		start, errA := strconv.ParseInt(f[0], 10, 64)
		end, errB := strconv.ParseInt(f[1], 10, 64)
		if errA != nil || errB != nil {
			return fault.Dataf("%q: times are whole numbers of 100 ns", text)
		}
		for _, x := range f[3:] { // the first name behind the label; scores are between
			if _, err := strconv.ParseFloat(x, 64); err != nil {
				phone = x
				break
			}
		}
		class, err := table.find(f[2], phone)
		if err != nil {
			return err
		}
		return s.add(keyOf(name), Span{float64(start) / 1e7, float64(end) / 1e7, class})
	})
	if err == nil && begun {
		err = fault.Dataf("%s: the file ends within the entry %q, without a point: copy it anew", s.file, name)
	}
	return err
}

// keyOf makes the key of an utterance of the name of a label file: without what stands for any
// folder and the ending, with - for /.
func keyOf(name string) string {
	name = strings.ReplaceAll(name, `\`, "/")
	name = strings.TrimSuffix(name, path.Ext(name))
	name = strings.TrimPrefix(path.Clean("/"+strings.TrimPrefix(name, "*")), "/")
	return strings.ReplaceAll(name, "/", "-")
}

// begin makes room for an entry of a label file.
func (s *Set) begin(name string) error {
	key := keyOf(name)
	if _, twice := s.by[key]; twice {
		return fault.Dataf("the entry %q comes twice", name)
	}
	s.by[key] = nil
	for i, parts := len(key), 0; i > 0 && parts < maxParts; parts++ {
		i = strings.LastIndexByte(key[:i], '-')
		end := key[i+1:]
		if _, again := s.ends[end]; again {
			s.ends[end] = ""
		} else {
			s.ends[end] = key
		}
	}
	return nil
}

// maxParts is from how many places of a path on an entry is found.
const maxParts = 16

// readCTM reads lines UTTERANCE CHANNEL START DURATION LABEL, in seconds, and perhaps a confidence.
func (s *Set) readCTM(table *Table) error {
	channels := map[string]string{}
	return kaldi.EachLine(s.file, func(_ int, key, rest string) error {
		if strings.HasPrefix(key, ";;") {
			return nil
		}
		f := strings.Fields(rest)
		if len(f) != 4 && len(f) != 5 {
			return fault.Dataf("%q: a line is utterance, channel, start, duration and label", key+" "+rest)
		}
		if first, seen := channels[key]; seen && first != f[0] {
			return fault.Dataf("%q has the channels %s and %s: an utterance is of one", key, first, f[0])
		}
		channels[key] = f[0]
		start, errA := strconv.ParseFloat(f[1], 64)
		duration, errB := strconv.ParseFloat(f[2], 64)
		if errA != nil || errB != nil || !(duration >= 0) {
			return fault.Dataf("%q: start and duration are seconds", key+" "+rest)
		}
		class, err := table.find(f[3], "")
		if err != nil {
			return err
		}
		return s.add(key, Span{start, start + duration, class})
	})
}

// add appends a span, which does not begin before the one before it.
func (s *Set) add(key string, x Span) error {
	if !(x.Start >= 0 && x.End >= x.Start && x.End <= maxSeconds) {
		return fault.Dataf("a label from %g to %g s", x.Start, x.End)
	}
	if all := s.by[key]; len(all) > 0 && x.Start < all[len(all)-1].Start {
		return fault.Dataf("a label of %s at %g s behind one at %g s: they are in order", key, x.Start, all[len(all)-1].Start)
	}
	s.by[key] = append(s.by[key], x)
	return nil
}

// Lookup finds the labels of an utterance: by its name or, in a label file, the end of the entry's
// path. Where several entries end so, that is fault.ErrData.
func (s *Set) Lookup(id string) ([]Span, bool, error) {
	if spans, ok := s.by[id]; ok {
		return spans, true, nil
	}
	key, ok := s.ends[id]
	if ok && key == "" {
		return nil, false, fault.Dataf("%s: several entries may be the utterance %s: name the folders as the utterances have them", s.file, id)
	}
	if !ok {
		return nil, false, nil
	}
	return s.by[key], true, nil
}

// Frames gives the classes of n frames, one every shift seconds, NoClass where there is none, and
// how many frames the labels last.
func Frames(spans []Span, n int, shift float64) (classes []int32, length int) {
	classes = make([]int32, n)
	for i := range classes {
		classes[i] = NoClass
	}
	frame := func(seconds float64) int { return int(math.Floor(seconds/shift + 0.5)) }
	for _, x := range spans {
		from, to := frame(x.Start), frame(x.End)
		for t := from; t < min(to, n); t++ {
			classes[t] = x.Class
		}
		length = max(length, to)
	}
	return classes, length
}
