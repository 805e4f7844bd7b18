package experiment

import (
	"slices"
	"testing"

	"resnet/internal/config"
)

// TestAShortReproductionSaysWhatIsShort: the paper's number, whatever the user sets, and what the
// user sets.
func TestAShortReproductionSaysWhatIsShort(t *testing.T) {
	const rest = ". Errors are not the paper's, and neither need the claims be."
	for _, c := range []struct {
		short float64
		sets  []string
		env   []string
		want  string
		at    []int
	}{
		{0, nil, nil, "", []int{32_000, 48_000}},
		{3200, nil, nil, "Every schedule is the paper's divided by 3,200: 20 iterations instead of 64,000", []int{10, 15}},
		{1.5, nil, nil, "Every schedule is the paper's divided by 1.5: 42,667 iterations instead of 64,000", []int{21_333, 32_000}},
		{
			3200,
			[]string{"train.iterations=24", "eval.every=8"},
			nil,
			"Every schedule is the paper's divided by 3,200, but for --set train.iterations=24: 24 iterations instead of 64,000",
			[]int{10, 15},
		},
		{
			3200,
			[]string{"train.schedule.drop.at=[3]", "train.schedule.rate=0.05"},
			nil,
			"Every schedule is the paper's divided by 3,200, but for --set train.schedule.drop.at=[3]: 20 iterations instead of 64,000",
			[]int{3},
		},
		// Two epochs of 5,000 images are 78 updates of 128.
		{
			3200,
			[]string{"train.epochs=2"},
			nil,
			"Every schedule is the paper's divided by 3,200, but for --set train.epochs=2: 78 iterations instead of 64,000",
			[]int{10, 15},
		},
		{
			3200, nil,
			[]string{"RESNET_TRAIN_ITERATIONS=32"},
			"Every schedule is the paper's divided by 3,200, but for RESNET_TRAIN_ITERATIONS: 32 iterations instead of 64,000",
			[]int{10, 15},
		},
	} {
		o := CompareOptions{
			Kind: "table6", Out: t.TempDir(), Threads: 1, Parallel: 1, Short: c.short,
			Config: config.Input{Sets: append([]string{"data.name=fashion-sample"}, c.sets...), Env: c.env},
		}
		r, err := NewReproduction(t.Context(), &Environment{}, o)
		if err != nil {
			t.Fatalf("%v: %v", c.sets, err)
		}
		want := c.want
		if want != "" {
			want += rest
		}
		if got := r.Shortened(); got != want {
			t.Errorf("%v %v:\n%s, want\n%s", c.sets, c.env, got, want)
		}
		if got := r.Runs[0].Train.Schedule.Drop.At; !slices.Equal(got, c.at) {
			t.Errorf("%v %v: the rate drops at %v, want %v", c.sets, c.env, got, c.at)
		}
	}
}
