package train

import (
	"bufio"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"resnet/internal/input"
)

// speedColumn is the column of timing.csv with the images per second since the row before.
const speedColumn = "images_per_second"

// MedianSpeed is the median of the images per second that a run folder's timing.csv has, of an even
// number the mean of the two in the middle; 0 where nothing was measured or the file does not
// parse. Lines that have no such figure are left out.
func MedianSpeed(dir string) float64 {
	f, err := input.Open(filepath.Join(dir, TimingFile))
	if err != nil {
		return 0
	}
	defer f.Close()
	return medianSpeed(f)
}

func medianSpeed(r io.Reader) float64 {
	in := bufio.NewScanner(r)
	if !in.Scan() {
		return 0
	}
	column := slices.Index(strings.Split(in.Text(), ","), speedColumn)
	if column < 0 {
		return 0
	}
	var speeds []float64
	for in.Scan() {
		fields := strings.Split(in.Text(), ",")
		if column >= len(fields) {
			continue
		}
		if v, err := strconv.ParseFloat(fields[column], 64); err == nil && v > 0 && !math.IsInf(v, 0) {
			speeds = append(speeds, v)
		}
	}
	if len(speeds) == 0 {
		return 0
	}
	slices.Sort(speeds)
	n := len(speeds)
	return speeds[(n-1)/2]/2 + speeds[n/2]/2
}
