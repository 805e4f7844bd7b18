package train

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"resnet/internal/graph"
)

// ErrNonFinite is what every *NonFiniteError is.
var ErrNonFinite = errors.New("not finite")

// The limits of the policies: a run that needs more of them is not converging.
const (
	maxSkipsInRow = 20
	maxRollbacks  = 5
)

// NonFiniteError says where a loss, gradient, statistic or weight stopped being a finite number.
// The update was not applied and no checkpoint holds it.
type NonFiniteError struct {
	Step  int     // updates done before the one at fault
	What  string  // "loss", "gradient", "batch-norm statistics" or "weights"
	Layer string  // the first layer or parameter at fault; "" when it is not known
	Rate  float64 // of the update that failed
	Tried string  // what the policy did before it gave up; "" with stop
	// OneValue is set when a variance fell to nothing because one value per channel is left.
	OneValue bool
}

// Error names step, layer and rate, and suggests a remedy.
func (e *NonFiniteError) Error() string {
	var b strings.Builder
	verb := "is"
	if e.What != "loss" && strings.HasSuffix(e.What, "s") {
		verb = "are"
	}
	fmt.Fprintf(&b, "update %d: the %s %s not finite", e.Step+1, e.What, verb)
	if e.Layer != "" {
		fmt.Fprintf(&b, ", first at %s", e.Layer)
	}
	fmt.Fprintf(&b, " (rate %v)", float32(e.Rate))
	if e.Tried != "" {
		b.WriteString("; " + e.Tried)
	}
	if e.OneValue {
		b.WriteString(": one value per channel has no variance: raise train.batch or use larger images")
	} else {
		b.WriteString(": lower train.schedule.rate or add a train.schedule.warmup; the last checkpoint is from before it")
	}
	return b.String()
}

// Is makes errors.Is(err, ErrNonFinite) true.
func (e *NonFiniteError) Is(target error) bool { return target == ErrNonFinite }

// finite reports whether every value is finite: an exponent of all ones is an infinity or not a
// number.
func finite(xs []float32) bool {
	const exponent = 0x7f800000
	for _, x := range xs {
		if math.Float32bits(x)&exponent == exponent {
			return false
		}
	}
	return true
}

func finite64(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// badGradient returns the first parameter that is updated and whose gradient is not finite, or nil.
func badGradient(o Optimizer, params *graph.ParamSet) *graph.Param {
	for _, p := range o.updated(params) {
		if !finite(p.Grad) {
			return p
		}
	}
	return nil
}

// badValue returns the first parameter, running statistics included (or only those), whose values
// are not finite, or nil.
func badValue(params *graph.ParamSet, statsOnly bool) *graph.Param {
	for _, p := range params.All() {
		if (!statsOnly || !p.Trainable()) && !finite(p.Data) {
			return p
		}
	}
	return nil
}

// fault describes the update at work.
func (l *loop) fault(what, layer string) *NonFiniteError {
	return &NonFiniteError{Step: l.st.Step, Rate: l.rate, What: what, Layer: layer}
}

// checkLoss examines one batch, before its gradients are used.
func (w *worker) checkLoss(loss float64) *NonFiniteError {
	if finite64(loss) {
		return nil
	}
	e := w.l.fault("loss", w.machine.Diagnose())
	if e.Layer == "" {
		if p := badGradient(w.l.o.Plan.Config.Optimizer, w.Params); p != nil {
			e.Layer = p.Name
		}
	}
	return e
}

// checkUpdate examines gradients and running statistics before the update is applied.
func (l *loop) checkUpdate() *NonFiniteError {
	if p := badGradient(l.o.Plan.Config.Optimizer, l.o.Params); p != nil {
		e := l.fault("gradient", l.diagnose())
		if e.Layer == "" {
			e.Layer = p.Name
		}
		return e
	}
	if p := badValue(l.o.Params, true); p != nil {
		e := l.fault("batch-norm statistics", p.Name)
		e.OneValue = p.Kind == graph.KindRunningVar && l.o.Plan.Config.Batch == 1
		return e
	}
	return nil
}

// nonfinite carries out the policy for an update that must not be applied. It returns nil when
// training goes on.
func (l *loop) nonfinite(e *NonFiniteError) error {
	switch l.o.Plan.Config.OnNonfinite {
	case NonfiniteSkip:
		if e.What == "weights" || e.OneValue || l.st.Step >= l.o.Plan.Iterations {
			return e // there is no update to skip, or skipping would never end
		}
		if l.st.SkippedInRow >= maxSkipsInRow {
			e.Tried = fmt.Sprintf("%d updates in a row were skipped", l.st.SkippedInRow)
			return e
		}
		l.moved()
		l.st.Skipped++
		l.st.SkippedInRow++
		l.warn("%v. Skipped (train.on_nonfinite: skip)", e)
		return l.openLoaders() // batches of the update may be unread
	case NonfiniteRollback:
		if l.st.Rollbacks >= maxRollbacks || e.OneValue {
			e.Tried = fmt.Sprintf("%d rollbacks did not help", l.st.Rollbacks)
			return e
		}
		halvings, rollbacks := l.st.Schedule.Halvings+1, l.st.Rollbacks+1
		l.recall()
		l.st.Schedule.Halvings, l.st.Rollbacks = halvings, rollbacks
		l.cutTables()
		l.warn("%v. Back to step %d with half the rate (train.on_nonfinite: rollback)", e, l.st.Step)
		return l.openLoaders()
	}
	return e
}
