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

// A Timing is a row of timing.csv.
type Timing struct {
	Step            int
	Seconds         float64 // since the start, those of earlier processes as well
	ImagesPerSecond float64 // since the row before
}

// Timings are the rows of a run folder's timing.csv; nil where there is none or it does not parse.
// Lines that lack a figure are left out.
func Timings(dir string) []Timing {
	f, err := input.Open(filepath.Join(dir, TimingFile))
	if err != nil {
		return nil
	}
	defer f.Close()
	return parseTimings(f)
}

func parseTimings(r io.Reader) []Timing {
	in := bufio.NewScanner(r)
	if !in.Scan() {
		return nil
	}
	titles := strings.Split(in.Text(), ",")
	var columns [3]int
	for i, title := range []string{"step", "seconds", speedColumn} {
		if columns[i] = slices.Index(titles, title); columns[i] < 0 {
			return nil
		}
	}
	var list []Timing
	for in.Scan() {
		fields := strings.Split(in.Text(), ",")
		var v [3]float64
		ok := true
		for i, column := range columns {
			if ok = ok && column < len(fields); ok {
				var err error
				v[i], err = strconv.ParseFloat(fields[column], 64)
				ok = err == nil && v[i] >= 0 && !math.IsInf(v[i], 0)
			}
		}
		if ok {
			list = append(list, Timing{int(v[0]), v[1], v[2]})
		}
	}
	return list
}

// MedianSpeed is the median of the images per second that a run folder's timing.csv has, of an even
// number the mean of the two in the middle; 0 where nothing was measured or the file does not
// parse.
func MedianSpeed(dir string) float64 { return medianSpeed(Timings(dir)) }

func medianSpeed(list []Timing) float64 {
	var speeds []float64
	for _, t := range list {
		if t.ImagesPerSecond > 0 {
			speeds = append(speeds, t.ImagesPerSecond)
		}
	}
	if len(speeds) == 0 {
		return 0
	}
	slices.Sort(speeds)
	n := len(speeds)
	return speeds[(n-1)/2]/2 + speeds[n/2]/2
}
