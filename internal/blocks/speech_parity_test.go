package blocks

import (
	"testing"

	"resnet/internal/graph"
	"resnet/internal/graph/parity"
)

// TestWRBNIsPyTorchs compares small networks with testdata/parity/generate_wrbn.py, which runs each
// utterance alone and without padding: logits of the valid frames, loss and every gradient, for
// utterances of 12, 7 and 9 frames in one batch of 12 and in one of 17.
func TestWRBNIsPyTorchs(t *testing.T) {
	for _, c := range []struct{ file, digest, row, output string }{
		{"wrbn-frame", "129884faeb48935e043022b7ac1f8254315bf57493700151dba5fe0519354f5b", "wrbn", OutputFrame},
		{"wrbn-plain-frame", "7db5a8a4a73f680a183534ea6c2c07992782450a3c1c481d41a3dd6608755bce", "wrbn-plain", OutputFrame},
		{"wrbn-utterance", "62d7b19ad15b17a5dbf3e67507d03adc2de1548a9311eda091637c15f1c84f27", "wrbn", OutputUtterance},
	} {
		want, err := parity.Read(fixtures[0], c.file+".safetensors", c.digest)
		if err != nil {
			t.Fatal(err)
		}
		spec, err := Lookup(c.row)
		if err != nil {
			t.Fatal(err)
		}
		spec = smallSpeech(spec)
		spec.Depths, spec.Speech.Output = []int{1, 2}, c.output
		for _, m := range machines {
			for _, frames := range []int{12, 17} {
				t.Run(c.file+"/"+m.name, func(t *testing.T) { checkSpeech(t, spec, want, frames, m.make) })
			}
		}
	}
}

func checkSpeech(t *testing.T, spec Spec, want parity.Tensors, frames int, start func(*graph.Graph, *graph.ParamSet) (graph.Machine, error)) {
	const longest = 12
	lengths := want.Get("lengths").Labels
	n := len(lengths)
	params := graph.NewParamSet(1)
	g, err := BuildSequence(spec, n, frames, graph.Train, params)
	if err != nil {
		t.Fatal(err)
	}
	copy(g.Sequences.Lengths, lengths)
	for _, p := range params.All() {
		v, ok := want["param/"+p.Name]
		if !ok || len(v.Data) != len(p.Data) {
			t.Fatalf("%s: %d values, in the fixture %d", p.Name, len(p.Data), len(v.Data))
		}
		copy(p.Data, v.Data)
	}
	rows := spec.InputChannels * spec.Speech.Features
	x := make([]float32, n*rows*frames)
	for r := range n * rows {
		copy(x[r*frames:], want.Get("x").Data[r*longest:(r+1)*longest])
	}
	labels := want.Get("labels").Labels
	if spec.Speech.Output == OutputFrame {
		labels = make([]int32, n*frames)
		for i := range labels {
			labels[i] = -1
		}
		for i := range n {
			copy(labels[i*frames:], want.Get("labels").Labels[i*longest:(i+1)*longest])
		}
	}
	m, err := start(g, params)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	res, err := m.Train(x, labels, graph.StepOptions{})
	if err != nil {
		t.Fatal(err)
	}
	logits := res.Logits
	if spec.Speech.Output == OutputFrame {
		var valid []float32
		for i, length := range lengths {
			valid = append(valid, logits[i*frames*spec.Classes:][:int(length)*spec.Classes]...)
		}
		logits = valid
	}
	if d := parity.Difference(logits, want.Get("logits").Data); d > tensorTolerance {
		t.Errorf("%d frames: logits differ by %.1e", frames, d)
	}
	if d := parity.Difference([]float32{float32(res.Loss)}, want.Get("loss").Data); d > tensorTolerance {
		t.Errorf("%d frames: loss %v, want %v", frames, res.Loss, want.Get("loss").Data)
	}
	for _, p := range params.All() {
		if d := parity.Difference(p.Grad, want.Get("grad/"+p.Name).Data); d > tensorTolerance {
			t.Errorf("%d frames: gradient of %s differs by %.1e", frames, p.Name, d)
		}
	}
}
