package experiment

import "testing"

func TestRunsThatTrainTogetherShareTheTime(t *testing.T) {
	for _, c := range []struct {
		workers int
		costs   []float64
		want    float64
	}{{1, []float64{3, 4, 5}, 12}, {2, []float64{3, 4, 5}, 8}, {3, []float64{3, 4, 5}, 5}, {9, []float64{3, 4, 5}, 5}, {2, nil, 0}} {
		if got := makespan(c.costs, c.workers); got != c.want {
			t.Errorf("%d at a time of %v: %v, want %v", c.workers, c.costs, got, c.want)
		}
	}
	if got := largest([]float64{1, 7, 3}, 2); got != 10 {
		t.Errorf("the two largest together: %v, want 10", got)
	}
	if got := largest([]float64{2}, 4); got != 2 {
		t.Errorf("fewer than asked for: %v, want 2", got)
	}
}
