package compare

import (
	"errors"
	"slices"
	"testing"
)

func TestPlansNameEachTrainingOnceShallowFirst(t *testing.T) {
	nets, err := PlainVsResidual([]int{56, 20}, []uint64{3, 1})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, n := range nets {
		names = append(names, n.Name())
	}
	want := []string{"plain20-seed3", "resnet20-seed3", "plain56-seed3", "resnet56-seed3", "plain20-seed1", "resnet20-seed1", "plain56-seed1", "resnet56-seed1"}
	if !slices.Equal(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
	if nets, err = Depth([]int{20, 110}, []uint64{1}); err != nil || len(nets) != 2 || !nets[0].Residual || !nets[1].Residual {
		t.Errorf("Depth: %v, %v: want two residual networks", nets, err)
	}
	if got, want := nets[1].Sets(), []string{"model.family=cifar", "model.depth=110", "model.residual=true", "train.seed=1"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestImpossiblePlansAreRefused(t *testing.T) {
	for _, c := range []struct {
		depths []int
		seeds  []uint64
	}{{nil, []uint64{1}}, {[]int{20}, nil}, {[]int{51}, []uint64{1}}, {[]int{23}, []uint64{1}}, {[]int{2}, []uint64{1}}, {[]int{-4}, []uint64{1}},
		{[]int{20, 20}, []uint64{1}}, {[]int{20}, []uint64{1, 1}}} {
		if _, err := PlainVsResidual(c.depths, c.seeds); !errors.Is(err, ErrPlan) {
			t.Errorf("depths %v, seeds %v: got %v, want ErrPlan", c.depths, c.seeds, err)
		}
	}
}

func TestRowsOfTheTableAreComparedSeedBySeed(t *testing.T) {
	nets, err := Rows("wrbn-plain", "wrbn", []uint64{2, 1})
	if err != nil || len(nets) != 4 || nets[0].Name() != "wrbn-plain-seed2" || nets[3].Name() != "wrbn-seed1" || nets[0].Residual || !nets[1].Residual {
		t.Errorf("%v (%v)", nets, err)
	}
	if got, want := nets[3].Sets(), []string{"model.name=wrbn", "train.seed=1"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if _, err := Rows("a", "b", []uint64{1, 1}); !errors.Is(err, ErrPlan) {
		t.Errorf("a seed twice: %v", err)
	}
	if _, err := Rows("a", "b", nil); !errors.Is(err, ErrPlan) {
		t.Errorf("no seeds: %v", err)
	}
}
