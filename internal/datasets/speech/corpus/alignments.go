package corpus

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"resnet/internal/datasets/fault"
	"resnet/internal/datasets/speech"
	"resnet/internal/datasets/speech/kaldi"
	"resnet/internal/datasets/speech/labels"
)

// alignments are the classes of frames by utterance, from files of any kind.
type alignments struct {
	byFrame map[string][]int32
	timed   []*labels.Set
	every   int     // frames that a number of byFrame stands for
	shift   float64 // seconds between frames
	reach   int     // frames by which windows may end before the recording
	table   *labels.Table
}

// readAlignments reads the files that a configuration names by commas and patterns: archives,
// binary or text, also compressed by gzip, scripts, master label files and CTM.
func readAlignments(c Config) (*alignments, error) {
	all := &alignments{byFrame: map[string][]int32{}, every: max(1, c.AlignmentSubsampling), shift: c.Frontend.ShiftMS / 1000}
	all.reach = max(speech.AlignmentSlack, int(math.Ceil(c.Frontend.LengthMS/c.Frontend.ShiftMS)))
	if c.States != "" {
		var err error
		if all.table, err = labels.ReadTable(c.States); err != nil {
			return nil, err
		}
	}
	names := c.Alignments
	for _, pattern := range strings.Split(names, ",") {
		pattern = strings.TrimSpace(pattern)
		paths, err := filepath.Glob(pattern)
		if err != nil {
			return nil, fault.Errorf(fault.ErrConfig, "speech.alignments: %s: %w", pattern, err)
		}
		if len(paths) == 0 {
			paths = []string{pattern} // its reader says what is wrong: absent, a pipe
		}
		for _, path := range paths {
			if labels.Fits(path) {
				set, err := labels.Read(path, all.table)
				if err != nil {
					return nil, err
				}
				all.timed = append(all.timed, set)
				continue
			}
			ali, err := kaldi.ReadIntegers(path)
			if err != nil {
				return nil, err
			}
			for id, a := range ali {
				if _, again := all.byFrame[id]; again {
					return nil, fault.Dataf("%s: an alignment of %s is in another file, too", path, id)
				}
				all.byFrame[id] = a
			}
		}
	}
	return all, nil
}

// of gives the classes of the frames of an utterance, NoLabel for those that the labels leave out,
// and by how many frames they are longer or shorter than it. It reports false where there is no
// alignment of it.
func (a *alignments) of(u utterance) (classes []int32, off int, ok bool, err error) {
	if ints, ok := a.byFrame[u.id]; ok {
		off := len(ints) - (u.frames+a.every-1)/a.every
		if slack := max(1, speech.AlignmentSlack/a.every); off > slack || off < -slack {
			return nil, 0, false, fault.Dataf("the alignment of %s has %d frames, and its features %d%s: up to %d more or fewer are trimmed; %s",
				u.id, len(ints), u.frames, a.apart(), slack, a.advice(len(ints), u.frames))
		}
		if a.every == 1 {
			return ints[:min(len(ints), u.frames)], off, true, nil
		}
		for t := range min(u.frames, len(ints)*a.every) {
			classes = append(classes, ints[t/a.every])
		}
		return classes, off, true, nil
	}
	for _, set := range a.timed {
		spans, ok, err := set.Lookup(u.id)
		if err != nil {
			return nil, 0, false, err
		}
		if !ok {
			continue
		}
		classes, length := labels.Frames(spans, u.frames, a.shift)
		limit := u.frames + a.reach
		if n := len(spans); n > 0 && spans[n-1].Start > float64(limit)*a.shift {
			return nil, 0, false, fault.Dataf("the last label of %s begins at %.6g s, and its features last %.6g s: are they of these features?", u.id, spans[n-1].Start, float64(u.frames)*a.shift)
		}
		if length <= limit {
			length = u.frames
		}
		return classes, length - u.frames, true, nil
	}
	return nil, 0, false, nil
}

// apart says that numbers stand for several frames.
func (a *alignments) apart() string {
	if a.every == 1 {
		return ""
	}
	return fmt.Sprintf(", one of them for %d", a.every)
}

// advice says what may be wrong with a length. Kaldi's chain models have a third of the frames.
func (a *alignments) advice(n, frames int) string {
	const shortest = 12 // frames of an alignment that show a ratio
	for every := 1; every <= maxSubsampling && n >= shortest; every++ {
		if d := n - (frames+every-1)/every; every != a.every && -1 <= d && d <= 1 {
			return fmt.Sprintf("it has one for %d frames%s: set speech.alignment_subsampling: %d", every, chain(every), every)
		}
	}
	return "is it of these features?"
}

// maxSubsampling is the largest factor of frames that models are met with.
const maxSubsampling = 8

func chain(every int) string {
	if every == 3 {
		return ", as those of chain models"
	}
	return ""
}
