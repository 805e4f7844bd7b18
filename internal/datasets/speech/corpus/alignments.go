package corpus

import (
	"path/filepath"
	"strings"

	"resnet/internal/datasets/fault"
	"resnet/internal/datasets/speech/kaldi"
)

// readAlignments reads the classes of frames by utterance from files named by commas and patterns:
// archives, binary or text, also compressed by gzip, and scripts.
func readAlignments(names string) (map[string][]int32, error) {
	all := map[string][]int32{}
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
			ali, err := kaldi.ReadIntegers(path)
			if err != nil {
				return nil, err
			}
			for id, a := range ali {
				if _, again := all[id]; again {
					return nil, fault.Dataf("%s: an alignment of %s is in another file, too", path, id)
				}
				all[id] = a
			}
		}
	}
	return all, nil
}
