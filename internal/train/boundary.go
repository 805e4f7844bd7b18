package train

import (
	"errors"
	"fmt"
)

// errSave marks an error of the Store.
var errSave = errors.New("checkpoint")

// evaluate measures the model, adds a row, and tells the schedule.
func (l *loop) evaluate() error {
	l.average.swap()
	ev, err := l.o.Evaluate(l.gentle)
	l.average.swap()
	if err != nil {
		if l.ctx.Err() == nil && l.stopping() {
			return errInterrupted
		}
		return fmt.Errorf("evaluation at step %d: %w", l.st.Step, err)
	}
	row := Row{Step: l.st.Step, Epoch: l.o.Plan.Epoch(l.st.Step), Rate: l.st.Rate, Train: l.st.Since.metrics(), Val: ev.Val, Test: ev.Test, TrainEval: ev.Train}
	switch {
	case ev.Val != nil && finite64(ev.Val.Error):
		l.sched.AfterEval(&l.st.Schedule, l.st.Step, ev.Val.Error)
		if l.st.Best == nil || ev.Val.Error < l.st.Best.ValError {
			l.st.Best = &Best{Step: l.st.Step, ValError: ev.Val.Error}
			l.best = true
		}
		l.stopEarly(ev.Val.Error)
	case row.Train != nil:
		l.sched.AfterEval(&l.st.Schedule, l.st.Step, row.Train.Error)
	}
	ev.Since = row.Train
	l.st.Evaluated, l.st.Since = l.st.Step, Sums{}
	l.eval, l.row, l.dirty = &ev, &row, true
	l.record(row)
	if h := l.o.Hooks.OnEval; h != nil {
		h(row, l.progress())
	}
	return nil
}

// stopEarly ends the training when the error of the validation split has not fallen for long
// enough.
func (l *loop) stopEarly(percent float64) {
	o := l.o.Plan.Config.EarlyStop
	if o.Patience > 0 && l.st.Early.waited(percent, o.Patience, o.Threshold) {
		l.st.Stopped = true
		l.say("the validation error has not fallen for %d evaluations (train.early_stopping): the training ends", o.Patience)
	}
}

// save writes a checkpoint of the current step, unless a value is not finite: that never replaces a
// good one. Where the policy lets training go on after a failure, the failure is a warning, except
// for the last checkpoint of a run.
func (l *loop) save(last bool) error {
	err := l.write(last)
	if err == nil && l.rollsBack() {
		l.remember()
	}
	return err
}

// write is save without what a rollback needs.
func (l *loop) write(last bool) error {
	if p := badValue(l.o.Params, false); p != nil {
		return &NonFiniteError{Step: max(0, l.st.Step-1), Rate: l.st.Rate, What: "weights", Layer: p.Name}
	}
	l.st.Rows = l.metrics.pending()
	l.average.swap()
	defer l.average.swap()
	if p := badValue(l.o.Params, false); p != nil {
		return &NonFiniteError{Step: max(0, l.st.Step-1), Rate: l.st.Rate, What: "averages of weights", Layer: p.Name}
	}
	s := Snapshot{
		State: l.st, Params: l.o.Params, Momentum: append(l.sgd.Tensors(), l.average.tensors()...), Evaluation: l.eval,
		IsBest: l.eval != nil && l.st.Best != nil && l.st.Best.Step == l.st.Step,
	}
	if err := l.store(s); err != nil {
		err = fmt.Errorf("%w at step %d: %w", errSave, l.st.Step, err)
		if last || l.o.Plan.Config.OnSaveError != SaveErrorContinue {
			return err
		}
		l.best = false
		l.warn("%v: training goes on without it (train.on_save_error: continue)", err)
	} else {
		l.saves++
		l.dirty, l.best = false, false
		if h := l.o.Hooks.OnSave; h != nil {
			h(l.st.Step)
		}
	}
	return nil
}

// finish is the ending at the last step: statistics, evaluation, checkpoint. When it is
// interrupted, the statistics go back to what training left, so that the resumed run repeats the
// whole ending.
func (l *loop) finish() (err error) {
	if l.stopping() {
		return errInterrupted
	}
	l.saveStats()
	defer func() {
		if err != nil {
			l.st.Finished = false
			l.restoreStats()
		}
	}()
	if l.o.Plan.Config.BNRecompute > 0 {
		if err := l.report(l.recomputeStats(), nil); err != nil {
			return err
		}
	}
	if l.st.Evaluated != l.st.Step {
		if err := l.evaluate(); err != nil {
			return err
		}
	}
	l.st.Finished = true
	return l.save(true)
}

// stop saves what is not saved and returns the reason.
func (l *loop) stop(reason error) error {
	if l.dirty {
		if err := l.save(true); err != nil {
			return err
		}
	}
	return reason
}

// rescue saves the last complete update before a failure ends the run.
func (l *loop) rescue(cause error) error {
	if l.dirty && l.st.Step > 0 {
		if err := l.save(true); err != nil {
			return errors.Join(cause, err)
		}
	}
	return cause
}
