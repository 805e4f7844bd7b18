package drawing

import (
	"cmp"
	"fmt"
	"slices"

	"resnet/internal/blocks"
)

// A Block is the drawing of a building block of a network, as in Figure 5.
type Block struct {
	Name string // the first of its kind: "layer1.0"
	// SVG is a part of an HTML page, which has the colours --text, --back, --soft, --line and --c0
	// to --c6. Its texts are escaped.
	SVG string
}

// Blocks draws one block of each kind that a network has. Kinds differ in more than the number of
// channels: a block where the map is halved is one of its own. Networks of several depths have the
// same drawings.
func Blocks(m blocks.Summary) []Block {
	var list []Block
	for _, k := range kindsOf(m) {
		for i := range k.boxes {
			k.boxes[i].repeat = 0 // that depends on the depth
		}
		l := arrange(k.boxes, []column{k.column(0)})
		list = append(list, Block{k.boxes[0].block, l.svg(k.boxes[0].block, style)})
	}
	return list
}

// blockKind is the first block of a kind.
type blockKind struct {
	boxes []box // outside is what the block reads
	input string
}

func (k blockKind) column(from int) column {
	c := column{title: k.input}
	for i := range k.boxes {
		c.boxes = append(c.boxes, from+i)
	}
	return c
}

// sideBySide makes a column of each kind of block.
func sideBySide(kinds []blockKind) (boxes []box, columns []column) {
	for _, k := range kinds {
		first := len(boxes)
		columns = append(columns, k.column(first))
		for _, b := range k.boxes {
			b.inputs = slices.Clone(b.inputs)
			for i, from := range b.inputs {
				if from != outside {
					b.inputs[i] = first + from
				}
			}
			boxes = append(boxes, b)
		}
	}
	return boxes, columns
}

// kindsOf are the kinds of a network's blocks, with the number of each in repeat.
func kindsOf(m blocks.Summary) []blockKind {
	list := boxesOf(m)
	all := make([]int, len(list))
	for i := range all {
		all[i] = i
	}
	var kinds []blockKind
	number := map[string]int{} // of a kind, in kinds
	for _, s := range segmentsOf(list, all) {
		if s.block == "" || len(s.boxes) < 2 || list[s.boxes[0]].training {
			continue
		}
		key := describeBlock(list, s, func(b box) string { return fmt.Sprint(cmp.Or(b.form, b.title), b.after, b.shortcut, b.dotted) })
		if k, ok := number[key]; ok {
			for i := range kinds[k].boxes {
				kinds[k].boxes[i].repeat++
			}
			continue
		}
		number[key] = len(kinds)
		kind := blockKind{input: dims(m.Input)}
		for _, i := range s.boxes {
			b := list[i]
			b.inputs, b.repeat = nil, 1
			for _, from := range list[i].inputs {
				if from >= s.boxes[0] {
					b.inputs = append(b.inputs, from-s.boxes[0])
					continue
				}
				b.inputs = append(b.inputs, outside)
				if from != outside {
					kind.input = dims(list[from].out)
				}
			}
			kind.boxes = append(kind.boxes, b)
		}
		kinds = append(kinds, kind)
	}
	return kinds
}
