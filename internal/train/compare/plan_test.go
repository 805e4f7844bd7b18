package compare

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestPlansNameEachTrainingOnceShallowFirst(t *testing.T) {
	depths := []int{56, 20}
	nets, err := PlainVsResidual(depths, []uint64{3, 1})
	if err != nil {
		t.Fatal(err)
	}
	if depths[0] != 56 {
		t.Errorf("the caller's depths were sorted: %v", depths)
	}
	if !reflect.DeepEqual(nets[2:4], []Net{{Depth: 56, Seed: 3}, {Depth: 56, Residual: true, Seed: 3}}) {
		t.Errorf("got %+v and %+v, want plain and residual of 56 layers", nets[2], nets[3])
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
		says   string
	}{
		{nil, []uint64{1}, "no depths"},
		{[]int{20}, nil, "no seeds"},
		{[]int{51}, []uint64{1}, "depth 51 is not 6n+2"},
		{[]int{23}, []uint64{1}, "depth 23"},
		{[]int{2}, []uint64{1}, "depth 2 is"},
		{[]int{-4}, []uint64{1}, "depth -4"},
		{[]int{20, 20}, []uint64{1}, "depth 20 is given twice"},
		{[]int{32, 20, 32}, []uint64{1}, "depth 32 is given twice"},
		{[]int{20}, []uint64{2, 1, 2}, "seed 2 is given twice"},
	} {
		if _, err := PlainVsResidual(c.depths, c.seeds); !errors.Is(err, ErrPlan) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("depths %v, seeds %v: got %v, want ErrPlan with %q", c.depths, c.seeds, err, c.says)
		}
	}
	if nets, err := PlainVsResidual([]int{8}, []uint64{1}); err != nil || len(nets) != 2 {
		t.Errorf("8 layers are the least: %v, %v", nets, err)
	}
}

func TestRowsOfTheTableAreComparedSeedBySeed(t *testing.T) {
	nets, err := Pairs([][2]string{{"wrbn-plain", "wrbn"}}, []uint64{2, 1})
	if err != nil || len(nets) != 4 || nets[0].Name() != "wrbn-plain-seed2" || nets[3].Name() != "wrbn-seed1" || nets[0].Residual || !nets[1].Residual {
		t.Errorf("%v (%v)", nets, err)
	}
	if got, want := nets[3].Sets(), []string{"model.name=wrbn", "train.seed=1"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if _, err := Pairs([][2]string{{"a", "b"}}, []uint64{1, 1}); !errors.Is(err, ErrPlan) {
		t.Errorf("a seed twice: %v", err)
	}
	if _, err := Pairs([][2]string{{"a", "b"}}, nil); !errors.Is(err, ErrPlan) {
		t.Errorf("no seeds: %v", err)
	}
}

func TestASweepIsEveryCombinationSeedBySeed(t *testing.T) {
	nets, err := Sweep([]string{"train.schedule.rate=0.1, 0.05", "train.schedule.drop.at=[100,200],[]"}, []uint64{2, 1})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range nets {
		got = append(got, n.Name())
	}
	want := []string{
		"rate=0.1,at=[100,200]-seed2", "rate=0.1,at=[]-seed2", "rate=0.05,at=[100,200]-seed2", "rate=0.05,at=[]-seed2",
		"rate=0.1,at=[100,200]-seed1", "rate=0.1,at=[]-seed1", "rate=0.05,at=[100,200]-seed1", "rate=0.05,at=[]-seed1",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if sets := nets[2].Sets(); !slices.Equal(sets, []string{"train.schedule.rate=0.05", "train.schedule.drop.at=[100,200]", "train.seed=2"}) {
		t.Errorf("got %v", sets)
	}
	// Keys of one last part have as much as tells them apart; no name leaves its folder.
	nets, err = Sweep([]string{"train.schedule.rate=1", "train.schedule.warmup.rate=2", "data.dir=/a/../b"}, []uint64{1})
	if err != nil || nets[0].Name() != "schedule.rate=1,warmup.rate=2,dir=_a_.._b-seed1" {
		t.Errorf("%v, %v", nets, err)
	}
}

func TestImpossibleSweepsAreRefused(t *testing.T) {
	for _, c := range []struct {
		vary []string
		says string
	}{
		{nil, "nothing varies"},
		{[]string{"train.batch"}, "KEY=VALUE"},
		{[]string{"train.batch=8,,16"}, "KEY=VALUE"},
		{[]string{"=8"}, "KEY=VALUE"},
		{[]string{"train.seed=1,2"}, "name the seeds"},
		{[]string{"train.batch=8,8"}, "train.batch has the value 8 twice"},
		{[]string{"train.batch=8", "train.batch=16"}, "train.batch varies twice"},
		{[]string{"train.batch=1" + strings.Repeat(",1", 1001)}, "more than 1000"},
	} {
		if _, err := Sweep(c.vary, []uint64{1}); !errors.Is(err, ErrPlan) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v: got %v, want ErrPlan with %q", c.vary, err, c.says)
		}
	}
	if _, err := Sweep([]string{"train.batch=8"}, nil); !errors.Is(err, ErrPlan) {
		t.Errorf("no seeds: %v", err)
	}
}
