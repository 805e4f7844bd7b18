package experiment

import (
	"errors"
	"fmt"
	"path/filepath"

	"resnet/internal/atomicfile"
	"resnet/internal/blocks"
	"resnet/internal/config"
	"resnet/internal/graph"
	"resnet/internal/graph/schedule"
	"resnet/internal/system"
	"resnet/internal/text"
	"resnet/internal/train/collective"
)

// CheckLeastMemory refuses a training that cannot fit, before anything is made. limit is as in
// Training.Memory, and holds for what is made after this.
func (x *Experiment) CheckLeastMemory(limit int64) error {
	x.memory = x.env.allowed(limit)
	needs, err := x.data.leastMemory()
	if err != nil {
		return err
	}
	return x.memory.check(needs...)
}

// unknownRoom is the allowance on a system that does not say what it has.
const unknownRoom = 1 << 40

// allowance is how much memory may be taken.
type allowance struct {
	bytes int64
	why   string // "the machine leaves 5 GB of 8 GB"
}

// need is a part of the memory that something takes, with the key or the flag that decides it.
type need struct {
	key   string // "" where nothing does
	value int    // of the key
	bytes float64
	hint  string
}

// allowed is limit, or where that is 0 what the tightest limit of machine, control groups, process
// and Go leaves. It is asked once: what is taken later is part of the needs.
func (e *Environment) allowed(limit int64) allowance {
	if limit > 0 {
		return allowance{limit, "--max-memory is " + text.Bytes(limit)}
	}
	e.asked.Do(func() {
		e.room = allowance{unknownRoom, "what this machine has is not known, and no more than " + text.Bytes(unknownRoom) + " are tried"}
		if l, ok := system.Read().Binding(); ok {
			e.room = allowance{l.Room(), fmt.Sprintf("%s leaves %s of %s", l, text.Bytes(l.Room()), text.Bytes(l.Bytes))}
		}
	})
	return e.room
}

// check refuses needs that do not fit together, and names the largest that can be lowered and how
// far. Sums are floats: what overflows does not fit.
func (a allowance) check(needs ...need) error {
	var sum float64
	var worst need
	for _, n := range needs {
		sum += n.bytes
		if n.key != "" && (worst.key == "" || n.bytes > worst.bytes) {
			worst = n
		}
	}
	if sum <= float64(a.bytes) {
		return nil
	}
	rest, remedy := "", "lower it"
	if others := sum - worst.bytes; others > worst.bytes/100 {
		rest = fmt.Sprintf(", %s with what else is needed", bytesOf(sum))
	}
	if fits := int64(float64(worst.value) * (float64(a.bytes) - sum + worst.bytes) / worst.bytes); fits >= 1 && fits < int64(worst.value) {
		remedy = fmt.Sprintf("at most about %s fit", text.Grouped(fits))
	}
	if worst.hint != "" {
		remedy += " (" + worst.hint + ")"
	}
	return config.Usagef("%s: %s needs at least %s of memory%s, and %s: %s", worst.key, text.Grouped(worst.value), bytesOf(worst.bytes), rest, a.why, remedy)
}

// bytesOf writes any number of bytes.
func bytesOf(f float64) string { return text.Bytes(int64(min(f, 1<<62))) }

// refuse says which key is to be lowered where a machine was too large; other errors are returned
// as they are. n is the key's need without its bytes.
func (a allowance) refuse(err error, n need) error {
	var large *schedule.TooLargeError
	if !errors.As(err, &large) {
		return err
	}
	n.bytes = float64(large.Need)
	return a.check(n)
}

// leastTraining is a lower bound of what training on n images, or frames, together takes besides
// the parameters, in bytes: every convolution's output is kept for the backward pass, of images in
// the precision of the training.
func leastTraining(sum blocks.Summary, n float64, p graph.Precision) float64 {
	each := 4.
	if p == graph.BFloat16 && sum.Family != blocks.FamilySpeech {
		each = 2
	}
	var values float64
	for _, l := range sum.Layers {
		if l.MACs > 0 {
			values += float64(product(l.Output))
		}
	}
	return each * values * n
}

// leastInference is the same of evaluating: the input and the logits, and of utterances the largest
// layer, since statistics over them keep a whole batch at one layer.
func leastInference(sum blocks.Summary, n float64) float64 {
	values := product(sum.Input) + int64(sum.Classes)
	if sum.Family == blocks.FamilySpeech {
		var widest int64
		for _, l := range sum.Layers {
			widest = max(widest, product(l.Output))
		}
		values += widest
	}
	return 4 * float64(values) * n
}

func product(shape []int) int64 {
	n := int64(1)
	for _, size := range shape {
		n *= int64(size)
	}
	return n
}

// sums are the values of the gradients of so many parameters, with what adding those of several
// micro-batches keeps.
func (x *Experiment) sums(trainable int64) int64 {
	a, w := x.Train.Accumulate, x.workers()
	return trainable * int64(w) * int64(1+collective.Copies(a/w, a))
}

// parameters are the need of the parameters, their gradients and what the optimizer and a
// moving average keep.
func (x *Experiment) parameters(count int64) need {
	return need{bytes: 4 * float64(count+x.sums(count)+x.Train.Optimizer.StateValues(count)+x.Train.AverageValues(count))}
}

// trainBatch is the need of the batch that is trained on.
func (x *Experiment) trainBatch(bytes float64) need {
	return need{"train.batch", x.Train.Batch, bytes, "train.accumulate keeps the batch of an update"}
}

// evalBatch is the need of the batch that is evaluated.
func (x *Experiment) evalBatch(bytes float64) need {
	return need{"eval.batch", x.Eval.Batch, bytes, ""}
}

// values counts the parameters' values, those that are trained, and what the optimizer and a moving
// average keep of them.
func (x *Experiment) values(params *graph.ParamSet) (all, trainable, kept int64) {
	for _, p := range params.All() {
		all += int64(len(p.Data))
		if p.Trainable() {
			trainable += int64(len(p.Data))
		}
	}
	return all, trainable, x.Train.Optimizer.StateValues(trainable) + x.Train.AverageValues(all)
}

// checkpointBytes is the size of a checkpoint without its metadata.
func (x *Experiment) checkpointBytes(params *graph.ParamSet) int64 {
	all, _, kept := x.values(params)
	return 4 * (all + kept)
}

// checkSpace asks for room for two checkpoints before the work starts: the one being written and
// the one it replaces. A folder that is not there yet stands for the nearest one above it.
func (x *Experiment) checkSpace(fsys atomicfile.FS, dir string, params *graph.ParamSet) error {
	need, and := 2*(x.checkpointBytes(params)+1<<20), ""
	if d, ok := x.data.(*images); ok && d.cache != nil {
		need, and = need+d.cache.fileBytes(), " and features"
	}
	at := dir
	free, known := fsys.Free(at)
	for !known && filepath.Dir(at) != at {
		at = filepath.Dir(at)
		free, known = fsys.Free(at)
	}
	if known && free < uint64(need) {
		return &IOError{fmt.Errorf("%s: two checkpoints%s need %s, and %s are free: make room or choose another --run",
			dir, and, text.Bytes(need), text.Bytes(int64(free)))}
	}
	return nil
}
