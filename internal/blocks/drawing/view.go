package drawing

import (
	"strings"

	"resnet/internal/blocks"
)

// View is what a drawing shows of a network.
type View uint8

// The views: a column for each stage, as in Figure 3; the same with blocks that are equal and
// follow each other drawn once, with their number; and one block of each kind, as in Figure 5.
const (
	Whole View = iota
	Folded
	Kinds
)

// HasBlocks reports whether a network is made of building blocks, which Kinds shows.
func HasBlocks(m blocks.Summary) bool { return len(kindsOf(m)) > 0 }

// draw are the boxes of a view and their columns.
func draw(m blocks.Summary, v View) ([]box, []column) {
	if v == Kinds {
		return sideBySide(kindsOf(m))
	}
	list := boxesOf(m)
	if v == Folded {
		list = fold(list)
	}
	columns := columnsOf(list)
	first := "input " + dims(m.Input)
	if size := columns[0].title; !strings.HasSuffix(first, size) {
		first += ", then " + size
	}
	columns[0].title = first
	return list, columns
}
