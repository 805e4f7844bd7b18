package main

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

// hostileDirs are folders of files to measure, besides those that the test makes; make hostile
// DIR=… names them.
var hostileDirs = flag.String("hostile", "", "folders of hostile files, with : between")

// Bounds of what reading a file may add to the resident memory, in bytes.
const (
	hostileBound = 64 << 20
	// pictureBound is what docs/faults.md states: eight bytes for each of the most pixels.
	pictureBound = 512<<20 + hostileBound
	// hostileTime is far above what any of them takes; the time grows with the file.
	hostileTime = 2 * time.Minute
)

// hostileCommand is how a kind of file is read. FILE stands for it; the first word of the others is
// the command's.
type hostileCommand struct {
	args  string
	bound int64
}

// hostileCommands give the commands that read a file by the ending of its name.
func hostileCommands(path string, size int64) []hostileCommand {
	switch strings.ToLower(filepath.Ext(strings.TrimSuffix(path, ".gz"))) {
	case ".png", ".jpg", ".jpeg":
		return []hostileCommand{{"predict run FILE", pictureBound}, {"predict run --crops 10 FILE", pictureBound}}
	case ".flac", ".wav":
		return []hostileCommand{{"speech info FILE", hostileBound}, {"speech features FILE --channel 0 --out FEATURES.ark", hostileBound}}
	case ".ark":
		// An entry is held whole, its bytes and its values.
		return []hostileCommand{{"speech info FILE", hostileBound + 8*size}}
	case ".scp", ".htk", ".fbank", ".aiff", ".ogg":
		return []hostileCommand{{"speech info FILE", hostileBound}}
	case ".pth", ".pt", ".bin":
		return []hostileCommand{{"import FILE --arch resnet20 --out OUT.safetensors", hostileBound}}
	case ".safetensors":
		return []hostileCommand{{"eval FILE", hostileBound}, {"import FILE --arch resnet20 --out OUT.safetensors", hostileBound}}
	case ".yaml", ".yml":
		return []hostileCommand{{"config validate FILE", hostileBound}}
	case ".csv":
		return []hostileCommand{{"compare runs METRICS --out COMPARED", hostileBound}}
	}
	return nil
}

// TestHostileFilesStayWithinTheirBounds measures the largest resident size of the program while it
// reads files that are made to fill the memory, and with -hostile every file of the folders named.
func TestHostileFilesStayWithinTheirBounds(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, data []byte) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("tiny.yaml", []byte("model: {family: cifar, depth: 8, residual: true}\ndata: {name: fashion-sample, downsample: 4, limit: 16, augment: {pad: 1}}\n"+
		"train: {batch: 4, iterations: 2, schedule: {rate: 0.05}, checkpoint: {every: 2}}\neval: {batch: 250}\n"))
	write("plain/small.png", smallPNG(t))
	write("plain/small.wav", tone(16000, 440))
	if c := measure(t, dir, time.Minute, "train", "--config", "tiny.yaml", "--run", "run"); c.status != 0 {
		t.Fatalf("%+v", c)
	}
	for name, data := range bombs() {
		write(filepath.Join("bombs", name), data)
	}
	folders := []string{filepath.Join(dir, "bombs")}
	if *hostileDirs != "" {
		folders = append(folders, "../../testdata")
		folders = append(folders, filepath.SplitList(*hostileDirs)...)
	}
	usual := map[string]int64{}
	for kind, file := range map[string]string{"predict": "plain/small.png", "": "plain/small.wav"} {
		args := []string{"version"}
		if kind == "predict" {
			args = []string{"predict", "run", file}
		}
		if usual[kind] = measure(t, dir, time.Minute, args...).peak; usual[kind] == 0 {
			t.Skip("the resident size is not known here")
		}
	}
	var table bytes.Buffer
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "file\tbytes\tcommand\tstatus\tgrowth MB\tbound MB\tseconds")
	for _, folder := range folders {
		err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			full, err := filepath.Abs(path)
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			for _, c := range hostileCommands(path, info.Size()) {
				words := strings.Fields(c.args)
				for i, word := range words {
					switch word {
					case "FILE":
						words[i] = full
					case "METRICS": // a run whose table the file is
						words[i] = "table"
						_ = os.Remove(filepath.Join(dir, "table", "metrics.csv"))
						write("table/config.yaml", []byte("model: {family: cifar, depth: 8, residual: true}\n"))
						if err := os.Symlink(full, filepath.Join(dir, "table", "metrics.csv")); err != nil {
							return err
						}
					}
				}
				got := measure(t, dir, hostileTime, words...)
				before, ok := usual[words[0]]
				if !ok {
					before = usual[""]
				}
				growth := max(got.peak-before, 0)
				rel, _ := filepath.Rel(folder, path)
				fmt.Fprintf(w, "%s\t%d\t%s\t%d\t%.0f\t%d\t%.1f\n", rel, info.Size(), strings.TrimSuffix(strings.Join(strings.Fields(c.args)[:2], " "), " FILE"), got.status, float64(growth)/(1<<20), c.bound>>20, got.took.Seconds())
				switch {
				case got.status < 0:
					t.Errorf("%s: resnet %s did not end within %v", rel, c.args, hostileTime)
				case got.status == 1 || strings.Contains(got.stderr, "goroutine "):
					t.Errorf("%s: resnet %s: status %d: %.300s", rel, c.args, got.status, got.stderr)
				case got.peak == 0:
					t.Errorf("%s: resnet %s: not measured: status %d: %.300s", rel, c.args, got.status, got.stderr)
				case growth > c.bound:
					t.Errorf("%s: resnet %s: %d MB more than usual, want at most %d", rel, c.args, growth>>20, c.bound>>20)
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	w.Flush()
	t.Logf("resident memory beyond the usual, %d MB of predict and %d MB of other commands:\n%s", usual["predict"]>>20, usual[""]>>20, table.String())
}

// bombs are small files that claim to be, or become, large ones.
func bombs() map[string][]byte {
	all := map[string][]byte{
		"silence.flac":            silentFLAC(2100, 65535),
		"cmyk-progressive.jpg":    progressiveJPEG(8000, 8000, 4, 1, 120_000),
		"scans.jpg":               progressiveJPEG(5000, 5000, 3, 3000, 100),
		"text.png":                chunkBomb("zTXt"),
		"profile.png":             chunkBomb("iCCP"),
		"deep.png":                flatPNG(2500, 2500, 16, 6, 0),
		"interlaced.png":          flatPNG(2000, 2000, 16, 6, 1),
		"deep-interlaced.png":     flatPNGHeader(8000, 8000, 16, 6, 1, 10_000),
		"zip-of-nothing.pth":      append([]byte("PK\x03\x04"), make([]byte, 100)...),
		"header.safetensors":      append(binary.LittleEndian.AppendUint64(nil, 1<<40), '{'),
		"long-header.safetensors": append(binary.LittleEndian.AppendUint64(nil, 20<<20), bytes.Repeat([]byte(" "), 20<<20)...),
		"aliases.yaml":            []byte("a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"),
		"rows.ark":                append([]byte("key \x00BFM \x04\xff\xff\xff\x7f\x04\xff\xff\xff\x7f"), make([]byte, 100)...),
		"zeros.ark.gz":            gzipped(append([]byte("key \x00BFM \x04\x00\x00\x10\x00\x04\x00\x10\x00\x00"), make([]byte, 100<<20)...)),
		"shape.safetensors":       numbered("{\"a\":{\"dtype\":\"F32\",\"shape\":[", "1,", 3_000_000),
		"tensors.safetensors":     numbered("{", "\"%d\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]},", 200_000),
		"list.yaml":               numbered("a: [", "1,", 120_000)[8:],
		"rows.csv":                numbered("step,epoch\n", "%d,1\n", 200_000)[8:],
		"line.csv":                bytes.Repeat([]byte("1"), 1<<20),
	}
	return all
}
