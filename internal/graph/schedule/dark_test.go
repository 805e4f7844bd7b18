package schedule_test

import (
	"maps"
	"slices"
	"testing"

	"resnet/internal/graph"
	"resnet/internal/graph/schedule"
)

// TestStepsReadAndWriteWhatTheySay runs all kinds of networks with the rest of the memory hidden.
func TestStepsReadAndWriteWhatTheySay(t *testing.T) {
	all := maps.Clone(nets)
	for name, f := range baselines {
		if name != "many weights" && name != "local response normalisation" || !testing.Short() {
			all[name] = f
		}
	}
	for name, f := range all {
		for _, o := range []schedule.Options{{Threads: 2}, inRounds(2), inBFloat16(schedule.Options{Threads: 2})} {
			n := 5
			if name == "shared accumulators" {
				n = 19
			}
			light, dark := draw(t, f, n, 1), draw(t, f, n, 1)
			want := train(t, compile(t, light.train, o), light, graph.StepOptions{})
			r, faults := schedule.TrainInTheDark(compile(t, dark.train, o), dark.x, dark.labels, graph.StepOptions{})
			sameBits(t, name, faults, snapshot(dark.params, r), want)
		}
	}
	for _, c := range sequenceNets {
		s := sequences{sequenceSpec(t, c.name, c.output), []int32{11, 5, 6, 9, 11}, 11}.units(c.units)
		x, labels := s.batch()
		p, q := graph.NewParamSet(3), graph.NewParamSet(3)
		want := s.step(t, compile(t, s.graph(t, graph.Train, p), schedule.Options{Threads: 2}), p)
		r, faults := schedule.TrainInTheDark(compile(t, s.graph(t, graph.Train, q), schedule.Options{Threads: 2}), x, labels, graph.StepOptions{})
		got := snapshot(q, r)
		got["logits"] = s.valid(r.Logits)
		sameBits(t, c.name+" "+c.output, faults, got, want)
	}
}

func sameBits(t *testing.T, what string, faults []string, got, want map[string][]float32) {
	t.Helper()
	for _, fault := range faults {
		t.Errorf("%s: %s", what, fault)
	}
	for name := range want {
		if !slices.Equal(got[name], want[name]) {
			t.Errorf("%s: %s is not the same bits", what, name)
		}
	}
}
