package drawing

import "fmt"

// column is a stage: boxes on maps of one size.
type column struct {
	title string // "56×56"
	boxes []int
}

// columnsOf divides boxes into columns. A block stands in the column of its result, also where a
// layer of it is larger; vectors behind the last map stay with it, and auxiliary classifiers with
// what they read.
func columnsOf(list []box) []column {
	result := map[string][]int{} // of blocks
	for _, b := range list {
		if b.block != "" {
			result[b.block] = b.out
		}
	}
	var columns []column
	size := 0
	for i, b := range list {
		shape := b.out
		if b.block != "" {
			shape = result[b.block]
		}
		if stays := b.training || len(shape) < 2 || shape[1] == size; len(columns) == 0 || !stays {
			size = 0
			if len(shape) > 1 {
				size = shape[1]
			}
			columns = append(columns, column{title: sizeText(shape)})
		}
		last := &columns[len(columns)-1]
		last.boxes = append(last.boxes, i)
	}
	return columns
}

// sizeText is the size of maps: "56×56", of a frame of an utterance "40 frequencies".
func sizeText(shape []int) string {
	switch {
	case len(shape) == 3:
		return fmt.Sprintf("%d×%d", shape[1], shape[2])
	case len(shape) == 2 && shape[1] > 1:
		return fmt.Sprintf("%d frequencies", shape[1])
	case len(shape) == 2:
		return "frames"
	}
	return ""
}

// segment is a block, or a box outside of blocks.
type segment struct {
	block string
	boxes []int
}

// segmentsOf divides the boxes of a column.
func segmentsOf(list []box, boxes []int) []segment {
	var segments []segment
	for _, i := range boxes {
		block := list[i].block
		if n := len(segments); n > 0 && block != "" && segments[n-1].block == block {
			segments[n-1].boxes = append(segments[n-1].boxes, i)
			continue
		}
		segments = append(segments, segment{block, []int{i}})
	}
	return segments
}
