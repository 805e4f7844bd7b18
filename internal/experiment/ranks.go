package experiment

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"resnet/internal/config"
	"resnet/internal/eval"
	"resnet/internal/text"
	"resnet/internal/train"
	"resnet/internal/train/collective"
)

// hello is what the ranks of a training compare before it begins: what the results depend on.
type hello struct {
	Place   collective.Place
	Version string
	Kernels string
	Workers int
	Config  map[string]string // see train.Recorded
	Data    string            // of the files' contents
}

// compareRanks fails on all ranks, naming the odd ones and what differs, unless all would train the
// same.
func (t *Training) compareRanks(ctx context.Context) error {
	if t.Ranks.Size() == 1 {
		return nil
	}
	with, err := t.trained(ctx)
	if err := t.Ranks.Agree(err); err != nil {
		return err
	}
	data, err := json.Marshal(with.Data)
	if err != nil {
		return err
	}
	own, err := json.Marshal(hello{
		Place:   collective.Place{Rank: t.Ranks.Rank(), Size: t.Ranks.Size(), Host: t.Ranks.Host},
		Version: t.env.Version, Kernels: Kernels(t.Precision()), Workers: t.workers(), Config: t.compared(with), Data: string(data),
	})
	if err != nil {
		return err
	}
	all, err := collective.Gather(t.Ranks.Group, own)
	if err != nil {
		return err
	}
	ranks := make([]hello, len(all))
	for i, b := range all {
		if err := json.Unmarshal(b, &ranks[i]); err != nil {
			return fmt.Errorf("what rank %d says of itself: %w", i, err)
		}
	}
	if odd := differences(ranks); odd != nil {
		return config.Usagef("the ranks would not train the same: %s", strings.Join(odd, "; "))
	}
	return nil
}

// compared are the keys of the configuration that all ranks have to have in common: those that
// results depend on, and those that decide when all do something together.
func (t *Training) compared(with trained) map[string]string {
	all := maps.Clone(with.Config)
	section := func(name string, v any) {
		b, _ := json.Marshal(v) // of plain values
		all[name] = string(b)
	}
	section("eval", t.Eval)
	section("train.checkpoint", t.Train.Checkpoint)
	section("train.on_save_error", t.Train.OnSaveError)
	section("distributed", t.Distributed)
	return all
}

// differences names the ranks that are not like most others, a text for each thing that differs.
func differences(ranks []hello) (odd []string) {
	compare := func(value func(hello) string, text func(own, others string) string) {
		usual := most(ranks, value)
		for _, r := range ranks {
			if own := value(r); own != usual {
				odd = append(odd, r.Place.String()+" "+text(own, usual))
			}
		}
	}
	compare(func(h hello) string { return h.Version }, func(own, others string) string {
		return fmt.Sprintf("is version %s, the others %s: install one everywhere", own, others)
	})
	precision := func(h hello) string { return h.Config["train.precision"] }
	another := func(h hello) bool { return precision(h) != precision(ranks[0]) }
	if !slices.ContainsFunc(ranks, another) { // else kernels differ with it
		compare(func(h hello) string { return h.Kernels }, func(own, others string) string {
			return fmt.Sprintf("has %s kernels, the others %s: set RESNET_CPU to one that all have", own, others)
		})
	}
	compare(func(h hello) string { return fmt.Sprint(h.Workers) }, func(own, others string) string {
		return fmt.Sprintf("has --workers %s, the others %s", own, others)
	})
	keys := map[string]bool{}
	for _, r := range ranks {
		for key := range r.Config {
			keys[key] = true
		}
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		compare(func(h hello) string { return h.Config[key] }, func(own, others string) string {
			return fmt.Sprintf("has %s=%s, the others %s", text.Printable(key), text.Printable(own), text.Printable(others))
		})
	}
	compare(func(h hello) string { return h.Data }, func(string, string) string {
		return "has other data files than the others: compare `resnet data info` there"
	})
	return odd
}

// most is the value of the most ranks, of several the first one's.
func most(ranks []hello, value func(hello) string) string {
	count := map[string]int{}
	for _, r := range ranks {
		count[value(r)]++
	}
	usual := value(ranks[0])
	for _, r := range ranks {
		if v := value(r); count[v] > count[usual] {
			usual = v
		}
	}
	return usual
}

// follow is Run on all ranks but the first, which alone has the folder.
func (t *Training) follow(ctx context.Context) (train.Summary, error) {
	r, err := t.prepare(ctx, nil)
	if err = t.prepared(r, err); err != nil {
		return train.Summary{}, err
	}
	defer r.close()
	o := t.options(r, t.warnSkipped)
	o.Store = noStore{}
	return train.Run(ctx, o)
}

// prepared makes sure that all ranks are ready, and gives all what the first has read: the values
// of the parameters and, of a run that goes on, its state.
func (t *Training) prepared(r *ready, err error) error {
	if t.Ranks.Size() == 1 {
		return err
	}
	if err := t.Ranks.Agree(err); err != nil {
		if r != nil {
			r.close()
		}
		return err
	}
	err = t.shareStart(r)
	if err != nil {
		r.close()
	}
	return err
}

// beginning is what a resumed run begins with, besides values.
type beginning struct {
	Resumed    bool
	State      json.RawMessage
	Evaluation *train.Evaluation
	Momentum   []train.Tensor // without data
}

func (t *Training) shareStart(r *ready) error {
	g := t.Ranks.Group
	var own beginning
	if r.resume != nil {
		state, err := r.resume.State.Encode()
		if err != nil {
			return err
		}
		own = beginning{Resumed: true, State: state, Evaluation: r.resume.Evaluation}
		for _, m := range r.resume.Momentum {
			own.Momentum = append(own.Momentum, train.Tensor{Name: m.Name, Shape: m.Shape})
		}
	}
	b, err := json.Marshal(own)
	if err != nil {
		return err
	}
	if b, err = collective.Share(g, b); err != nil {
		return err
	}
	if err := json.Unmarshal(b, &own); err != nil {
		return fmt.Errorf("what rank 0 begins with: %w", err)
	}
	for _, p := range r.params.All() {
		if err := collective.ShareValues(g, p.Data); err != nil {
			return err
		}
	}
	if !own.Resumed {
		return nil
	}
	if g.Rank() > 0 {
		r.resume = &train.Resume{Evaluation: own.Evaluation}
		if r.resume.State, err = train.ParseState(own.State); err != nil {
			return err
		}
		for _, m := range own.Momentum {
			m.Data = make([]float32, product(m.Shape))
			r.resume.Momentum = append(r.resume.Momentum, m)
		}
	}
	for _, m := range r.resume.Momentum {
		if err := collective.ShareValues(g, m.Data); err != nil {
			return err
		}
	}
	return nil
}

// part is what this rank measures of a split.
func (x *Experiment) part() eval.Part {
	if x.Ranks.Size() == 1 {
		return eval.Part{}
	}
	return eval.Part{At: x.Ranks.Rank(), Of: x.Ranks.Size(), Gather: func(own []byte, err error) ([][]byte, error) {
		if err := x.Ranks.Agree(err); err != nil {
			return nil, err
		}
		return collective.Gather(x.Ranks.Group, own)
	}}
}
