// Command performance appends a measurement to docs/performance.csv, the history of speed by
// commit:
//
//	resnet bench train --arch resnet20 --batch 128 --json | go run ./testdata/performance
//
// The binary has to be built of a commit (`make build` on a clean tree).
package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
)

const file = "docs/performance.csv"

// report is what is used of the JSON of bench.
type report struct {
	Arch, Mode, Precision string
	Batch, Frames         int
	Threads               int
	ImagesPerSecond       float64 `json:"images_per_second"`
	PeakRSSBytes          int64   `json:"peak_rss_bytes"`
	Kernels, CPU, Version string
}

// built is the end of a version that names the commit: v0.1.0-12-gabc1234, or abc1234 alone.
var built = regexp.MustCompile(`(?:^|-g)([0-9a-f]{7,40})$`)

func main() {
	if err := run(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "performance:", err)
		os.Exit(1)
	}
}

func run(in io.Reader) error {
	var r report
	if err := json.NewDecoder(in).Decode(&r); err != nil {
		return fmt.Errorf("no JSON of `resnet bench train|infer --json` on standard input: %w", err)
	}
	if r.Arch == "" || r.ImagesPerSecond <= 0 {
		return fmt.Errorf("it has no arch or no images_per_second: give the JSON of `resnet bench train|infer --json`")
	}
	commit := built.FindStringSubmatch(r.Version)
	if commit == nil {
		return fmt.Errorf("version %q names no commit: commit first, and measure with what `make build` makes", r.Version)
	}
	frames, unit := "", "images/s"
	if r.Frames > 0 {
		frames, unit = strconv.Itoa(r.Frames), "utterances/s"
	}
	row := []string{
		commit[1], strings.TrimSpace(r.CPU), strconv.Itoa(r.Threads), r.Kernels, r.Arch, r.Mode, r.Precision, strconv.Itoa(r.Batch), frames,
		strconv.FormatFloat(r.ImagesPerSecond, 'g', 4, 64), unit, strconv.FormatInt(r.PeakRSSBytes, 10),
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("run it in the repository: %w", err)
	}
	w := csv.NewWriter(f)
	err = w.Write(row)
	w.Flush()
	if err == nil {
		err = w.Error()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		fmt.Println(strings.Join(row, ","))
	}
	return err
}
