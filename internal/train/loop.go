package train

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// errInterrupted ends a piece of work because a stop was requested; nothing of it counts.
var errInterrupted = errors.New("interrupted")

// loop is one Run.
type loop struct {
	o       Options
	ctx     context.Context // ends at once, without saving
	gentle  context.Context // ends when a stop is requested, too
	sched   *Scheduler
	sgd     Stepper
	average *average // nil without a moving average
	st      State

	workers []*worker
	parts   []microBatch // of the update at work
	stats   []float32    // running statistics before the update: see worker.takeStats
	mem     *memory      // for rollback
	meter   *meter
	metrics *table
	timing  *table
	events  events
	before  float64 // seconds of earlier runs, from timing.csv

	dirty  bool        // the state is newer than the last checkpoint
	eval   *Evaluation // of the current step
	best   bool        // the current step is the best so far, and not saved yet
	rate   float64     // of the update at work
	last   Sums        // of the last update
	row    *Row
	saves  int
	sums   *buckets // of several ranks
	agreed byte     // what ranks ask for, as bits: see report
	asked  int64    // requests of the Control to save that were obeyed
}

// Run trains until the plan's last iteration and returns how it ended. A stop that was asked for
// returns ErrStopped or ErrMaxTime after a checkpoint; a context that ends returns its error at
// once, without one; a loss that is not finite returns a *NonFiniteError, and the checkpoints
// before it stay as they are. When a batch or an evaluation fails, the last complete update is
// saved before the error is returned.
func Run(ctx context.Context, o Options) (Summary, error) {
	if err := o.check(); err != nil {
		return Summary{}, err
	}
	l := &loop{o: o, ctx: ctx, sched: NewScheduler(o.Plan), sgd: o.stepper(), average: newAverage(o.Plan.Config.EMA, o.Plan.Config.Optimizer, o.Params), meter: newMeter(o.Now)}
	l.newWorkers()
	l.o.Control.takeSave(&l.asked) // requests of before are not this run's
	if err := l.resume(); err != nil {
		return Summary{}, err
	}
	if l.st.Finished {
		return Summary{State: l.st, AlreadyFinished: true}, l.addRows()
	}
	gentle, cancel := context.WithCancel(ctx)
	defer cancel()
	l.gentle = gentle
	if o.Ranks.Size() == 1 { // several ranks stop together, at a boundary
		go func() {
			select {
			case <-o.Control.Done():
				cancel()
			case <-gentle.Done():
			}
		}()
	}
	l.openTables()
	defer l.metrics.close()
	defer l.timing.close()
	defer l.events.close()
	err := l.openLoaders()
	if err == nil {
		err = l.run()
	}
	l.closeLoaders()
	return l.summary(), l.complete(err)
}

// resume takes over the state of a checkpoint, or starts.
func (l *loop) resume() error {
	if r := l.o.Resume; r != nil {
		optimizer, trained := splitTrained(r.Momentum)
		if err := l.sgd.Load(optimizer); err != nil {
			return err
		}
		if l.average != nil {
			if err := l.average.resume(trained); err != nil {
				return err
			}
		}
		l.st = r.State.clone()
		if l.st.Evaluated == l.st.Step {
			l.eval = r.Evaluation
		}
		if l.st.Finished && !l.st.Done(l.o.Plan) {
			l.st.Finished = false // the plan has become longer
		}
	} else {
		l.dirty = true
	}
	if l.rollsBack() {
		l.remember()
	}
	return nil
}

func (l *loop) rollsBack() bool { return l.o.Plan.Config.OnNonfinite == NonfiniteRollback }

// run is a machine of states: at each update boundary it does what is due there and not done yet,
// so that a run resumed at the boundary does the same.
func (l *loop) run() error {
	for {
		err := l.boundary()
		if err == nil && l.st.Finished {
			return nil
		}
		if err == nil {
			err = l.update()
		}
		var nf *NonFiniteError
		switch {
		case err == nil:
		case l.ctx.Err() != nil:
			return l.ctx.Err()
		case errors.As(err, &nf):
			if err := l.nonfinite(nf); err != nil {
				return err
			}
		case errors.Is(err, errInterrupted):
			return l.stop(ErrStopped)
		case errors.Is(err, ErrMaxTime):
			return l.stop(ErrMaxTime)
		case errors.Is(err, errSave):
			return err
		default:
			return l.rescue(err)
		}
	}
}

// boundary evaluates and saves where that is due, and ends the run when a stop is requested.
func (l *loop) boundary() error {
	if l.st.Step >= l.o.Plan.Iterations || l.st.Stopped {
		return l.finish()
	}
	if l.o.Plan.EvalDue(l.st.Step) && l.st.Evaluated != l.st.Step {
		if err := l.evaluate(); err != nil {
			return err
		}
	}
	if l.st.Stopped {
		return l.finish()
	}
	if asked := l.wantsSaving(); l.dirty && (asked || l.best || l.st.Step > 0 && l.o.Plan.SaveDue(l.st.Step)) {
		if err := l.save(false); err != nil {
			return err
		}
	}
	if l.stopping() {
		return errInterrupted
	}
	if l.overTime() {
		return ErrMaxTime
	}
	return nil
}

// update applies one update: Accumulate batches and a step of SGD.
func (l *loop) update() error {
	start := l.meter.now()
	a := l.o.Plan.Config.Accumulate
	l.rate = l.sched.Rate(l.st.Step, l.st.Schedule)
	sums, err := l.gradients()
	if err != nil {
		l.restoreStats()
		return err
	}
	if e := l.checkUpdate(); e != nil {
		l.restoreStats()
		return e
	}
	l.step(a)
	l.moved()
	l.average.update(l.st.Step)
	l.st.SkippedInRow = 0
	l.st.Since.add(sums)
	l.last = sums
	l.observe(l.wrongImages(sums))
	l.meter.update(l.meter.now().Sub(start))
	l.updateEvents()
	if h := l.o.Hooks.OnStep; h != nil {
		h(l.progress())
	}
	return nil
}

// step changes the parameters by the mean of so many batches' gradients, which are scaled down to
// train.clip_norm where they are larger.
func (l *loop) step(batches int) {
	scale := 1 / float64(batches)
	if limit := l.o.Plan.Config.ClipNorm; limit > 0 {
		scale *= clipScale(scale*gradientNorm(l.o.Plan.Config.Optimizer, l.o.Params), limit)
	}
	l.sgd.Step(l.rate, float32(scale))
}

// wrongImages is the number of wrong labels of an update as the schedule counts it, in images. An
// update of sequences has some other number of labels each time: their share is what counts.
func (l *loop) wrongImages(s Sums) int {
	if s.Weight == 0 || s.Images == 0 {
		return s.Wrong
	}
	return (s.Wrong*l.o.Plan.ImagesPerStep() + s.Images/2) / s.Images
}

// moved makes the step that was worked on the last one.
func (l *loop) moved() {
	l.st.Step++
	l.st.Batches += l.o.Plan.Config.Accumulate
	l.st.Rate = l.rate
	l.dirty, l.eval, l.best = true, nil, false
}

// observe tells the schedule the errors of the update that was just made.
func (l *loop) observe(wrong int) {
	warm := !l.st.Schedule.Warmup.Ended
	l.sched.AfterUpdate(&l.st.Schedule, l.st.Step, wrong)
	if warm && l.st.Schedule.Warmup.Ended {
		l.say("the warm-up has ended; the rate is %v from here", float32(l.sched.Rate(l.st.Step, l.st.Schedule)))
	}
}

func (l *loop) saveStats() { l.workers[0].takeStats(l.stats) }

// restoreStats undoes what forward passes did to the running statistics since saveStats.
func (l *loop) restoreStats() {
	l.workers[0].setStats(l.stats)
}

func (l *loop) progress() Progress {
	n := l.o.Plan.ImagesPerStep()
	p := Progress{
		Step: l.st.Step, Total: l.o.Plan.Iterations, Epoch: l.o.Plan.Epoch(l.st.Step), Rate: l.st.Rate,
		ImagesPerSecond: l.meter.rate(n), ETA: l.meter.eta(l.o.Plan.Iterations - l.st.Step),
		Elapsed: l.meter.elapsed(), LoaderWait: l.meter.wait,
	}
	if m := l.last.metrics(); m != nil {
		p.Loss, p.Error = m.Loss, m.Error
	}
	if m := l.st.Since.metrics(); m != nil {
		p.MeanLoss, p.MeanError = m.Loss, m.Error
	}
	return p
}

func (l *loop) warn(format string, args ...any) { l.message(true, format, args...) }
func (l *loop) say(format string, args ...any)  { l.message(false, format, args...) }

func (l *loop) message(warning bool, format string, args ...any) {
	if h := l.o.Hooks.OnMessage; h != nil {
		h(Message{Step: l.st.Step, Warning: warning, Text: fmt.Sprintf(format, args...)})
	}
}

func (l *loop) summary() Summary {
	return Summary{
		State: l.st.clone(), Last: l.row, Saves: l.saves, Elapsed: l.meter.elapsed().Round(time.Millisecond),
		LoaderWait: l.meter.wait, ImagesPerSecond: l.meter.mean(l.o.Plan.ImagesPerStep()),
	}
}
