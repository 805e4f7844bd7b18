package main

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"resnet/internal/graph/weights"
	"resnet/internal/system"
)

// small makes a folder stand for a machine of 3 GB.
func small(t *testing.T) {
	t.Helper()
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "proc"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "proc/meminfo"), []byte("MemTotal: 4000000 kB\nMemAvailable: 3000000 kB\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(system.UseTree(root))
}

// commandsBelow are the commands that do something.
func commandsBelow(c *cobra.Command) (list []*cobra.Command) {
	if c.Runnable() && c.Name() != "completion" && (c.Parent() == nil || c.Parent().Name() != "completion") {
		list = append(list, c)
	}
	for _, sub := range c.Commands() {
		list = append(list, commandsBelow(sub)...)
	}
	return list
}

// TestNoWholeNumberIsWithoutBounds: every flag for a whole number is a boundedInt or a seed, a list
// that its command checks, or a time.
func TestNoWholeNumberIsWithoutBounds(t *testing.T) {
	checked := map[string]string{
		"uint64": "seed", "intSlice": "depths scales", "uintSlice": "seeds", "float64": "short seconds rate bandwidth transfer crop regularise confidence frame-length frame-shift low high preemphasis dither",
		"duration": "max-time grace delay timeout update",
	}
	flags := 0
	for _, c := range commandsBelow(newRootCmd(newApp(strings.NewReader(""), &bytes.Buffer{}, &bytes.Buffer{}))) {
		c.Flags().VisitAll(func(f *pflag.Flag) {
			switch kind := f.Value.Type(); kind {
			case "bool", "string", "stringArray":
			case "int":
				flags++
				if b, ok := f.Value.(*boundedInt); !ok || b.most < b.least || b.least > 1 {
					t.Errorf("%s --%s has no bounds", c.CommandPath(), f.Name)
				}
			default:
				if !slices.Contains(strings.Fields(checked[kind]), f.Name) {
					t.Errorf("%s --%s: who checks a %s?", c.CommandPath(), f.Name, kind)
				}
			}
		})
	}
	if flags < 40 {
		t.Errorf("%d flags are found", flags)
	}
}

// TestEveryNumberOfAFlagHasABound runs the commands with what no machine can do, at and beyond the
// bounds of each flag: the flag is named, or nothing much is taken.
func TestEveryNumberOfAFlagHasABound(t *testing.T) {
	small(t)
	speech, images, run1 := "../../testdata/speech/3_theo_12.wav", "../../testdata/images/grey.jpg", "../../testdata/runs/v1"
	out := filepath.Join(t.TempDir(), "out")
	args := map[string]string{
		"resnet bench train": "--steps 1 --arch tiny-a", "resnet bench infer": "--steps 1 --arch tiny-a", "resnet eval": run1 + " --limit 10", "resnet predict": run1 + " " + images,
		"resnet speech features": speech + " --out " + out + ".ark", "resnet speech info": speech, "resnet train": "--config quickstart --dry-run --set data.downsample=4 --set model.depth=8",
		"resnet compare depth": "--config quickstart --dry-run --set data.downsample=4 --depths 8", "resnet data info": "fashion-sample",
	}
	for _, c := range commandsBelow(newRootCmd(newApp(strings.NewReader(""), &bytes.Buffer{}, &bytes.Buffer{}))) {
		c.Flags().VisitAll(func(f *pflag.Flag) {
			var values []string
			switch v := f.Value.(type) {
			case *boundedInt:
				values = []string{strconv.Itoa(math.MaxInt64), "-9223372036854775808", strconv.Itoa(v.least - 1), strconv.Itoa(v.most + 1)}
				if _, ok := args[c.CommandPath()]; ok && f.Name != "threads" {
					values = append(values, strconv.Itoa(v.least), strconv.Itoa(v.most), strconv.Itoa(min(v.most, 1_000_000_000)))
				}
			default:
				switch f.Value.Type() {
				case "float64":
					values = []string{"NaN", "+Inf", "-Inf", "1e308", "-1e308"}
				case "intSlice":
					values = []string{strconv.Itoa(math.MaxInt64), "1000000000", "1000000004", "-1", "0"}
				default:
					return
				}
				if args[c.CommandPath()] == "" {
					return
				}
			}
			for _, v := range values {
				line := append(strings.Fields(c.CommandPath())[1:], strings.Fields(args[c.CommandPath()])...)
				line = append(line, fmt.Sprintf("--%s=%s", f.Name, v))
				runBounded(t, line, "--"+f.Name)
			}
		})
	}
}

// runBounded runs a command line, which names the flag or takes little.
func runBounded(t *testing.T, line []string, flag string) {
	t.Helper()
	var before, after runtime.MemStats
	var out, errw bytes.Buffer
	runtime.ReadMemStats(&before)
	start := time.Now()
	status := run(line, strings.NewReader(""), &out, &errw)
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	word := map[string]string{
		"--depths": "depth", "--frame-length": "windows of", "--frame-shift": "windows of",
		"--high": "bins from", "--low": "bins from", "--preemphasis": "pre-emphasis",
	}[flag]
	if word == "" {
		word = strings.TrimLeft(flag, "-")
	}
	if status != exitOK && (status == exitFailed || !strings.Contains(errw.String(), word)) {
		t.Errorf("%s: status %d, %s", strings.Join(line, " "), status, errw.String())
	}
	if n := after.TotalAlloc - before.TotalAlloc; status != exitOK && (n > 64<<20 || took > 20*time.Second) {
		t.Errorf("%s: %d bytes and %v to refuse it", strings.Join(line, " "), n, took)
	}
}

// TestABadRecordInACheckpointIsABadFile: status 65, as any other damage, though the same words in a
// configuration are a mistake of the user's.
func TestABadRecordInACheckpointIsABadFile(t *testing.T) {
	f, err := weights.Open("../../testdata/runs/v1/checkpoints/step-000006.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var tensors []weights.Tensor
	for _, e := range f.Entries() {
		data, err := f.Float32(e.Name)
		if err != nil {
			t.Fatal(err)
		}
		tensors = append(tensors, weights.Tensor{Name: e.Name, Shape: e.Shape, Data: data})
	}
	path := filepath.Join(t.TempDir(), "x.safetensors")
	for name, change := range map[string][2]string{
		"a size beyond all":         {"resnet.preprocessing", `{"kind":"none","size":9223372036854775807,"resize":9223372036854775807,"interpolation":"bilinear","channels":1}`},
		"a resize below the size":   {"resnet.preprocessing", `{"kind":"none","size":28,"resize":-1,"interpolation":"bilinear","channels":1}`},
		"blocks that do not divide": {"resnet.preprocessing", `{"kind":"none","size":28,"resize":28,"downsample":-3,"interpolation":"bilinear","channels":1}`},
		"an unknown kind":           {"resnet.preprocessing", `{"kind":"x","size":28,"resize":28,"interpolation":"bilinear","channels":1}`},
		"a front end":               {"resnet.frontend", `{"rate":16000,"bins":9223372036854775807,"length_ms":25,"shift_ms":10,"normalize":"none"}`},
	} {
		meta := maps.Clone(f.Meta)
		meta[change[0]] = change[1]
		var b bytes.Buffer
		if err := weights.Write(&b, tensors, meta); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"eval", path}, {"predict", path, "../../testdata/images/grey.jpg"}} {
			var out, errw bytes.Buffer
			if status := run(args, strings.NewReader(""), &out, &errw); status != exitBadData || !strings.Contains(errw.String(), path) {
				t.Errorf("%s: %v: status %d, %s", name, args[0], status, errw.String())
			}
		}
	}
	for _, args := range []string{"eval /dev/zero", "predict /dev/zero x", "export /dev/zero --format onnx --out y"} {
		var out, errw bytes.Buffer
		if status := run(strings.Fields(args), strings.NewReader(""), &out, &errw); status != exitBadData || !strings.Contains(errw.String(), "/dev/zero: not a regular file") {
			t.Errorf("%s: status %d, %s", args, status, errw.String())
		}
	}
}
