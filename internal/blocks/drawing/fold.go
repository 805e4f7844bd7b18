package drawing

import (
	"fmt"
	"strings"
)

// fold keeps the first of blocks that are equal and follow each other, with their number.
func fold(list []box) []box {
	var out []box
	at := map[int]int{outside: outside} // in out, of a box of list
	var before segment
	first := 0 // of the block before, in out
	all := make([]int, len(list))
	for i := range all {
		all[i] = i
	}
	for _, s := range segmentsOf(list, all) {
		if s.block != "" && before.block != "" && alike(list, before) == alike(list, s) {
			for k, i := range s.boxes {
				at[i] = first + k
				b := &out[first+k]
				b.repeat = max(b.repeat, 1) + 1
			}
			continue
		}
		before, first = s, len(out)
		for _, i := range s.boxes {
			b := list[i]
			b.inputs = nil
			for _, from := range list[i].inputs {
				b.inputs = append(b.inputs, at[from])
			}
			at[i] = len(out)
			out = append(out, b)
		}
	}
	return out
}

// alike is what two blocks have in common that are drawn alike.
func alike(list []box, s segment) string {
	return describeBlock(list, s, box.looks)
}

// describeBlock is a block's boxes and what each reads, by its place in the block.
func describeBlock(list []box, s segment, describe func(box) string) string {
	var text strings.Builder
	for _, i := range s.boxes {
		fmt.Fprint(&text, describe(list[i]), "<")
		for _, from := range list[i].inputs {
			if from < s.boxes[0] {
				text.WriteString(" in")
			} else {
				fmt.Fprint(&text, " ", from-s.boxes[0])
			}
		}
		text.WriteString(">")
	}
	return text.String()
}
