package corpus

import (
	"fmt"
	"slices"
	"strconv"

	"resnet/internal/datasets"
	"resnet/internal/datasets/fault"
	"resnet/internal/datasets/speech"
	"resnet/internal/datasets/speech/kaldi"
)

// label gives utterances or their frames their classes.
func (o *Corpus) label() error {
	if o.cfg.Alignments != "" {
		return o.align(splits...)
	}
	classes := map[string]string{} // by utterance
	if o.cfg.Labels != "" {
		var err error
		if classes, err = readPairs(o.cfg.Labels); err != nil {
			return err
		}
	}
	names := map[string]bool{}
	for _, split := range splits {
		p := o.parts[split]
		if p == nil {
			continue
		}
		p.utts = slices.Clone(p.utts)
		without, example := 0, ""
		for i := range p.utts {
			u := &p.utts[i]
			if class, ok := classes[u.id]; ok {
				u.class = class
			}
			if u.class == "" {
				without, example = without+1, u.id
				continue
			}
			names[u.class] = true
		}
		if without == len(p.utts) {
			return fault.Errorf(fault.ErrConfig, "speech.labels: no utterance of the %s split has a class: set speech.alignments or speech.labels", split)
		}
		if without > 0 {
			o.note("%d of %d %s utterances have no label and are left out, such as %s", without, len(p.utts), split, example)
			p.utts = slices.DeleteFunc(p.utts, func(u utterance) bool { return u.class == "" })
		}
	}
	o.info.Classes = sortedClasses(names)
	index := map[string]int{}
	for i, name := range o.info.Classes {
		index[name] = i
	}
	for _, p := range o.parts {
		for i := range p.utts {
			p.utts[i].label = index[p.utts[i].class]
		}
	}
	o.info.Count = len(o.info.Classes)
	return nil
}

// sortedClasses sorts names, as numbers where all are.
func sortedClasses(names map[string]bool) []string {
	list := sortedKeys(names)
	numbers := map[string]int{}
	for _, name := range list {
		n, err := strconv.Atoi(name)
		if err != nil {
			return list
		}
		numbers[name] = n
	}
	slices.SortStableFunc(list, func(a, b string) int { return numbers[a] - numbers[b] })
	return list
}

// readPairs reads a file of lines KEY VALUE, such as Kaldi's utt2spk and text of one word.
func readPairs(path string) (map[string]string, error) {
	table, err := kaldi.ReadTable(path)
	if err != nil {
		return nil, err
	}
	pairs := make(map[string]string, len(table))
	for _, p := range table {
		pairs[p.Key] = p.Value
	}
	return pairs, nil
}

// align reads the alignments of splits and drops their utterances without one. The frames that an
// alignment lacks have no label; of one that is longer the end is cut off.
func (o *Corpus) align(splits ...datasets.Split) error {
	ali, err := readAlignments(o.cfg)
	if err != nil {
		return err
	}
	o.ali, o.info.Aligned, o.gaps = map[string][]int32{}, true, len(ali.timed) > 0
	if ali.table != nil {
		o.info.Classes = ali.table.Names()
		o.info.Count = len(o.info.Classes)
	}
	trimmed, long := 0, 0
	for _, split := range splits {
		p := o.parts[split]
		if p == nil {
			continue
		}
		without, example := 0, ""
		for i := range p.utts {
			u := p.utts[i]
			a, off, ok, err := ali.of(u)
			if err != nil {
				return fmt.Errorf("%s: %w", o.cfg.Alignments, err)
			}
			if !ok {
				without, example = without+1, u.id
				continue
			}
			if off > speech.AlignmentSlack { // of labels with times alone
				long++
			} else if off != 0 {
				trimmed++
			}
			o.ali[u.id] = a
		}
		if without == len(p.utts) {
			return fault.Dataf("%s: no utterance of the %s split has an alignment, such as %s", o.cfg.Alignments, split, example)
		}
		if without > 0 {
			o.note("%d of %d %s utterances have no alignment and are left out, such as %s", without, len(p.utts), split, example)
			p.utts = slices.DeleteFunc(slices.Clone(p.utts), func(u utterance) bool { return o.ali[u.id] == nil })
		}
		for i := range p.utts {
			p.utts[i].label = NoLabel
		}
	}
	if long > 0 {
		o.note("the last labels of %d utterances end behind their features, and were cut there", long)
	}
	if trimmed > 0 {
		o.note("%d alignments were up to %d frames longer or shorter than the features, and trimmed", trimmed, speech.AlignmentSlack)
	}
	return nil
}

// countFrames counts the training frames of each class; alignments say how many classes there are.
func (o *Corpus) countFrames() error {
	for id, a := range o.ali {
		for t, k := range a {
			if k == NoLabel && o.gaps {
				continue
			}
			if names := o.info.Classes; names != nil && int(k) >= len(names) {
				return fault.Dataf("%s: utterance %s: frame %d has class %d, and speech.states names %d", o.cfg.Alignments, id, t, k, len(names))
			}
			if k < 0 || k >= maxClasses {
				return fault.Dataf("%s: utterance %s: frame %d has class %d: classes are 0 to %d", o.cfg.Alignments, id, t, k, maxClasses-1)
			}
			o.info.Count = max(o.info.Count, int(k)+1)
		}
	}
	o.count = make([]int64, o.info.Count)
	missing := 0
	for _, u := range o.parts[datasets.Train].utts {
		o.info.Frames += u.frames
		if o.ali == nil {
			o.count[u.label] += int64(u.frames)
			continue
		}
		for _, k := range o.ali[u.id] {
			if k == NoLabel {
				missing++
				continue
			}
			o.count[k]++
		}
	}
	if missing > 0 {
		o.note("%d of %d training frames have no label", missing, o.info.Frames)
	}
	return nil
}

// maxClasses bounds what a damaged alignment can ask for.
const maxClasses = 1 << 20
