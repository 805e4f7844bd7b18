package experiment

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"resnet/internal/blocks"
	"resnet/internal/eval"
	"resnet/internal/graph"
)

// writeTone writes a mono recording of 16 bits and 16 kHz.
func writeTone(t *testing.T, path string, samples int) {
	t.Helper()
	var b bytes.Buffer
	le := func(v any) { _ = binary.Write(&b, binary.LittleEndian, v) }
	b.WriteString("RIFF")
	le(uint32(36 + 2*samples))
	b.WriteString("WAVEfmt ")
	for _, v := range []any{uint32(16), uint16(1), uint16(1), uint32(16000), uint32(32000), uint16(2), uint16(16)} {
		le(v)
	}
	b.WriteString("data")
	le(uint32(2 * samples))
	for i := range samples {
		le(int16(1000 * (i%40 - 20)))
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// faulty are recordings of which no machine longer than 64 frames can be made, for a reason.
func faulty(t *testing.T, reason error) *Predictor {
	t.Helper()
	m := smallSpeech(t, blocks.OutputFrame)
	p, err := NewPredictor(m, PredictOptions{Top: 1, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	r := p.c.(*recordings)
	factory := m.factory(1)
	compile := factory.Compile
	factory.Compile = func(g *graph.Graph, params *graph.ParamSet, o eval.MachineOptions) (graph.Machine, error) {
		if g.Frames > 64 {
			return nil, reason
		}
		return compile(g, params, o)
	}
	r.machines.Close()
	r.machines.Machines = eval.NewMachines(eval.MachinesOptions{Spec: r.spec, Params: m.Params, Factory: factory, Frozen: true})
	return p
}

// TestFilesAndLinesEndOnTheSameFaults: what is one recording's fault is said in its place and the
// next is classified; what is the network's ends all, whichever way the paths come.
func TestFilesAndLinesEndOnTheSameFaults(t *testing.T) {
	dir := t.TempDir()
	var paths []string
	for i, samples := range []int{8000, 24000, 9000} { // 48, 148 and 54 frames of 10 ms
		path := filepath.Join(dir, string(rune('a'+i))+".wav")
		writeTone(t, path, samples)
		paths = append(paths, path)
	}
	short := errors.New("too long for this memory")
	for _, c := range []struct {
		name   string
		reason error
		lines  int
		end    error
	}{
		{"the recording's", short, 3, nil},
		{"the network's", graph.ErrShape, 1, graph.ErrShape},
	} {
		for way, classify := range map[string]func(p *Predictor, each func(Prediction) error) error{
			"files": func(p *Predictor, each func(Prediction) error) error {
				return p.Files(context.Background(), paths, each)
			},
			"lines": func(p *Predictor, each func(Prediction) error) error {
				return p.Stream(context.Background(), strings.NewReader(strings.Join(paths, "\n")), each)
			},
		} {
			t.Run(c.name+" "+way, func(t *testing.T) {
				p := faulty(t, c.reason)
				var got []Prediction
				err := classify(p, func(r Prediction) error { got = append(got, r); return nil })
				if !errors.Is(err, c.end) || len(got) != c.lines {
					t.Fatalf("%d predictions, error %v: want %d, %v", len(got), err, c.lines, c.end)
				}
				for i, r := range got {
					want := ""
					if i == 1 {
						want = short.Error()
					}
					if r.Recording != paths[i] || !strings.Contains(r.Error, want) || (r.Error == "") != (want == "") || len(r.Top) != 1-min(len(want), 1) {
						t.Errorf("%d: %+v", i, r)
					}
				}
				if c.end == nil && !errors.Is(p.Failed(), short) {
					t.Errorf("failed: %v", p.Failed())
				}
			})
		}
	}
}
