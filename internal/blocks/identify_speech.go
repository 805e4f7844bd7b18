package blocks

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// SpeechForTensors is the Wide Residual BLSTM Network with the sizes of the tensors: of two
// recurrent layers and more all but the last sum their directions, as the authors' do, and the
// height of the input is that of the row, or what the stages divide to the height that is joined.
// It fails with ErrSpec where the tensors are those of no such network.
func SpeechForTensors(shapes map[string][]int) (Spec, error) {
	s, _ := lookup("wrbn")
	dim := func(name string, axis int) int {
		if shape := shapes[name]; axis < len(shape) {
			return shape[axis]
		}
		return 0
	}
	p := s.Speech
	p.StemWidth, s.InputChannels = dim("conv1.weight", 0), dim("conv1.weight", 1)
	s.Widths, s.Depths, p.Directions = nil, nil, nil
	height := dim("pooler.weight", 0)
	for i := 1; dim(fmt.Sprintf("layer%d.0.conv1.weight", i), 0) > 0; i++ {
		s.Widths = append(s.Widths, dim(fmt.Sprintf("layer%d.0.conv1.weight", i), 0))
		depth := 1
		for dim(fmt.Sprintf("layer%d.%d.conv1.weight", i, depth), 0) > 0 {
			depth++
		}
		s.Depths = append(s.Depths, depth)
		height = min(2*height, maxSize)
	}
	for i := 0; dim("blstm."+strconv.Itoa(i)+".forward.hidden.weight", 1) > 0; i++ {
		p.Units = dim("blstm."+strconv.Itoa(i)+".forward.hidden.weight", 1)
		p.Directions = append(p.Directions, DirectionsSum)
	}
	if n := len(p.Directions); n > 0 {
		p.Directions[n-1] = DirectionsConcat
	}
	p.Dense, s.Classes = dim("classifier.0.weight", 0), dim("classifier.1.weight", 0)
	p.Features, s.InputSize = height, height
	if _, ok := shapes["layer1.0.downsample.weight"]; !ok && len(s.Widths) > 0 && p.StemWidth != s.Widths[0] {
		s.Shortcut = None
	}
	if err := s.Validate(); err != nil {
		return s, err
	}
	have := slices.Sorted(maps.Keys(shapes))
	for _, l := range trace(s) {
		for name, shape := range l.tensors() {
			if !slices.Equal(shapes[name], shape) {
				return s, fmt.Errorf("%w: %s is %v in the file, and %v in the network of its other sizes", ErrSpec, name, shapes[name], shape)
			}
			have = slices.DeleteFunc(have, func(n string) bool { return n == name })
		}
	}
	if len(have) > 0 {
		return s, fmt.Errorf("%w: %s is in no such network", ErrSpec, have[0])
	}
	return counted(s), nil
}
