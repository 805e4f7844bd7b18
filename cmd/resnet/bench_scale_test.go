package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"resnet/internal/experiment"
)

func TestScaleIsPrintedAsTablesOrJSON(t *testing.T) {
	scale := func(args string) (int, string, string) {
		var out, errw bytes.Buffer
		status := run(append([]string{"bench", "scale"}, strings.Fields(args)...), strings.NewReader(""), &out, &errw)
		return status, out.String(), errw.String()
	}
	status, out, errw := scale("--batch 1 --steps 1 --threads 1 --cores 8 --json")
	var r experiment.ScaleReport
	if err := json.Unmarshal([]byte(out), &r); status != 0 || err != nil {
		t.Fatalf("%d, %v\n%s%s", status, err, out, errw)
	}
	if r.Mode != "scale" || r.Batch != 1 || len(r.Measured) != 1 || r.Machines[0].Cores != 8 || r.Model.LargeGigabytesPerSecond != 300 {
		t.Errorf("%+v", r)
	}
	r.Measured = []experiment.ScaleMeasured{{Threads: 3, Workers: 1, MsPerStep: 12.345, ImagesPerSecond: 81, Speedup: 2.5, EfficiencyPercent: 83.3, PredictedMs: 12, ErrorPercent: -2.8}}
	r.Predicted = []experiment.ScaleRow{{Cores: 64, Workers: 4, MsPerUpdate: 5.5, ImagesPerSecond: 727, Speedup: 44.8, EfficiencyPercent: 70, MemoryBoundPercent: 12}}
	r.Machines = []experiment.ScaleMachines{{Machines: 16, Gigabits: 25, Cores: 8, Workers: 2, ImagesPerMachine: 256, EfficiencyPercent: 81.6, OverlappedPercent: 99}}
	var table bytes.Buffer
	if err := printScale(&table, r); err != nil {
		t.Fatal(err)
	}
	got := strings.Join(strings.Fields(table.String()), " ")
	for _, want := range []string{"3 1 12.35 0.00 0.00 81 2.50 83 % 12.00 -2.8 %", "64 4 5.50 727 44.8 70 % 12 %", "16 25 8 2 4,096 82 % 99 %"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, table.String())
		}
	}
	for _, bad := range []string{"--bandwidth 0", "--bandwidth NaN", "--cores 0", "--steps 0", "--arch resnet21x", "more"} {
		if status, _, errw := scale(bad); status != 2 {
			t.Errorf("%s: status %d, %s", bad, status, errw)
		}
	}
}
