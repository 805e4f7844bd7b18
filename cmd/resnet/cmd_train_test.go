package main

import (
	"strings"
	"testing"

	"resnet/internal/experiment"
)

func TestAPlanIsPrintedInItsUnits(t *testing.T) {
	a, out, _ := testApp()
	e := experiment.Estimate{
		Steps: 64_000, Epochs: 164.1, MemoryBytes: 376_000_000, PeakRSSBytes: 404_000_000,
		Memory:          experiment.MemoryParts{Training: 175_000_000, Evaluation: 8_840_000, Parameters: 3_240_000, Data: 189_000_000},
		CheckpointBytes: 2_160_000, Threads: 2, Kernels: "avx2", SecondsPerStep: 0.0521, ImagesPerSecond: 2457,
		Evaluations: 64, SecondsPerEvaluation: 1.64, SecondsTotal: 3440, Notes: []string{"Weights of resnet20."},
	}
	if err := a.printEstimate(e, "image", "128 images"); err != nil {
		t.Fatal(err)
	}
	want := `start       Weights of resnet20.
steps       64,000 of 128 images, 164.1 epochs
memory      about 376 MB: 175 MB training, 8.84 MB evaluation, 3.24 MB parameters, 189 MB data; this dry run, with the program itself, took 404 MB
checkpoint  2.16 MB each
speed       52.1 ms a step, 2457 images/s (2 threads, avx2 kernels)
time        about 57m20s with 64 evaluations of 1.6s; an epoch 20.3s
`
	if got := out.String(); got != want {
		t.Errorf("printed\n%s\nwant\n%s", got, want)
	}
	if strings.Contains(out.String(), "utterance") {
		t.Error("utterances of images")
	}
}
