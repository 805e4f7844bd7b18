package train

import "strconv"

// The files that Run appends to in Options.Dir.
const (
	MetricsFile = "metrics.csv"
	TimingFile  = "timing.csv"
)

const (
	metricsHeader = "step,epoch,rate,train_loss,train_error,val_loss,val_error,val_top5,test_loss,test_error,test_top5"
	// trainSetHeader follows where eval.train_set is on.
	trainSetHeader = ",train_eval_loss,train_eval_error"
	// utteranceHeader follows where the labels of frames are those of their utterances.
	utteranceHeader = ",val_utterance_error,test_utterance_error"
	// Runs of former versions keep their shorter header.
	formerTimingHeader = "step,seconds," + speedColumn + ",peak_rss_bytes"
	timingHeader       = formerTimingHeader + ",waiting_ms"
)

// Row is one evaluation: a line of metrics.csv. Errors are percentages.
type Row struct {
	Step  int
	Epoch float64
	Rate  float64 // of the last update
	// Mean over the updates since the last evaluation, while they changed the model; nil when there
	// were none.
	Train *Metrics
	Val   *Metrics // nil without a validation split
	Test  *Metrics // nil when the test split is not evaluated
	// TrainEval is of the whole training set, without augmentation and in evaluation mode; nil
	// unless that is asked for.
	TrainEval *Metrics
}

// Fields are the cells of the row in metrics.csv, without those of TrainSetFields. Nothing in them
// depends on time or machine: losses have nine significant digits, errors four decimals, and the
// rate is the float32 that was applied. A split that is not there leaves its cells empty, and so
// does a top-5 error of fewer than five classes.
func (r Row) Fields() []string {
	return []string{
		strconv.Itoa(r.Step),
		strconv.FormatFloat(r.Epoch, 'f', 4, 64),
		strconv.FormatFloat(float64(float32(r.Rate)), 'g', -1, 32),
		loss(r.Train), percent(r.Train, Metrics.top1),
		loss(r.Val), percent(r.Val, Metrics.top1), percent(r.Val, Metrics.top5),
		loss(r.Test), percent(r.Test, Metrics.top1), percent(r.Test, Metrics.top5),
	}
}

// TrainSetFields are the cells that follow where eval.train_set is on.
func (r Row) TrainSetFields() []string {
	return []string{loss(r.TrainEval), percent(r.TrainEval, Metrics.top1)}
}

// UtteranceFields are the cells that follow where whole utterances are measured besides their
// frames.
func (r Row) UtteranceFields() []string {
	return []string{percent(r.Val, Metrics.utterance), percent(r.Test, Metrics.utterance)}
}

func (m Metrics) utterance() *float64 { return m.UtteranceError }

func (m Metrics) top1() *float64 { return &m.Error }
func (m Metrics) top5() *float64 { return m.Top5Error }

func loss(m *Metrics) string {
	if m == nil {
		return ""
	}
	return strconv.FormatFloat(m.Loss, 'g', 9, 64)
}

func percent(m *Metrics, of func(Metrics) *float64) string {
	if m == nil {
		return ""
	}
	x := of(*m)
	if x == nil {
		return ""
	}
	return strconv.FormatFloat(*x, 'f', 4, 64)
}
