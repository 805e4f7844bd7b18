package experiment

import (
	"errors"
	"math"
	"runtime"
	"slices"
	"sync"
	"time"

	"resnet/internal/blocks"
	"resnet/internal/config"
	"resnet/internal/graph"
	"resnet/internal/graph/schedule"
	"resnet/internal/system"
	"resnet/internal/train/collective"
)

// ScaleOptions say what `bench scale` measures and predicts.
type ScaleOptions struct {
	Arch    string
	Batch   int // images or utterances of a micro-batch; 0 means 128 or 8
	Frames  int // of each utterance
	Threads int // that are measured at most; 0 means all cores
	// Precision is a name of graph.Precisions; "" means float32.
	Precision string
	Steps     int // that are measured of each number of threads
	// Cores of a machine of a cluster.
	Cores int
	// Bandwidth of the memory of machines with more cores than this one, in GB/s.
	Bandwidth float64
	// Transfer of a cache line between two of their cores, in nanoseconds.
	Transfer float64
}

// ScaleReport is `bench scale --json`. Images are utterances for a network of speech.
type ScaleReport struct {
	Mode      string          `json:"mode"` // scale
	Arch      string          `json:"arch"`
	Precision string          `json:"precision"`
	Batch     int             `json:"batch"`
	Frames    int             `json:"frames,omitempty"`
	Steps     int             `json:"steps"`
	Kernels   string          `json:"kernels"`
	CPU       string          `json:"cpu"`
	Version   string          `json:"version"`
	Measured  []ScaleMeasured `json:"measured"`
	Model     ScaleModel      `json:"model"`
	Predicted []ScaleRow      `json:"predicted"`
	// Bounds say what keeps a machine of Cores from the efficiency of one core, the worst first.
	Bounds   []ScaleBound    `json:"bounds"`
	Machines []ScaleMachines `json:"machines"`
}

// ScaleMeasured is a number of threads and workers of this machine, and what the model says of it.
type ScaleMeasured struct {
	Threads           int     `json:"threads"`     // of all workers together
	Workers           int     `json:"workers"`     // each with a batch of its own
	MsPerStep         float64 `json:"ms_per_step"` // the median
	MsMin             float64 `json:"ms_min"`
	MsMax             float64 `json:"ms_max"`
	ImagesPerSecond   float64 `json:"images_per_second"`
	Speedup           float64 `json:"speedup"`
	EfficiencyPercent float64 `json:"efficiency_percent"`
	PredictedMs       float64 `json:"predicted_ms"`
	ErrorPercent      float64 `json:"error_percent"` // of the prediction
}

// ScaleModel is what predictions are made from.
type ScaleModel struct {
	Regions int `json:"regions"`
	// Units is the largest number of units of a region, more threads than which have no work.
	Units int `json:"units"`
	// AloneMs is what one thread does alone in a step.
	AloneMs float64 `json:"alone_ms"`
	// Of two threads; 0 where there is one core.
	BarrierMicroseconds  float64 `json:"barrier_microseconds"`
	TransferMicroseconds float64 `json:"transfer_microseconds"`
	// BytesPerStep is what all steps read and write, each once: what the memory moves at most.
	BytesPerStep int64 `json:"bytes_per_step"`
	// What this machine's memory moves, for one thread and for all.
	GigabytesPerSecondOne float64 `json:"gigabytes_per_second_one"`
	GigabytesPerSecond    float64 `json:"gigabytes_per_second"`
	// LargeGigabytesPerSecond is what larger machines are taken to have.
	LargeGigabytesPerSecond float64 `json:"large_gigabytes_per_second"`
	// LargeTransferMicroseconds is what a transfer between their cores is taken for.
	LargeTransferMicroseconds float64 `json:"large_transfer_microseconds"`
	GradientBytes             int64   `json:"gradient_bytes"`
}

// ScaleRow predicts a machine of so many cores.
type ScaleRow struct {
	Cores int `json:"cores"`
	// Workers share the cores, each with a batch of its own: an update has Workers times Batch
	// images.
	Workers           int     `json:"workers"`
	MsPerUpdate       float64 `json:"ms_per_update"`
	ImagesPerSecond   float64 `json:"images_per_second"`
	Speedup           float64 `json:"speedup"`
	EfficiencyPercent float64 `json:"efficiency_percent"`
	// MemoryBoundPercent of the update are regions that wait for memory.
	MemoryBoundPercent float64 `json:"memory_bound_percent"`

	backward float64 // seconds, of the update
}

// ScaleBound is what steps of one kind and shape lose on a machine of so many cores: the
// milliseconds of an update that its cores would not take if all of them worked all the time.
type ScaleBound struct {
	Steps      string  `json:"steps"`
	Regions    int     `json:"regions"`
	Units      int     `json:"units"`     // of a region
	WorkMs     float64 `json:"work_ms"`   // of one core
	Ms         float64 `json:"ms"`        // of all
	LostMs     float64 `json:"lost_ms"`   // the sum of those below
	UnevenMs   float64 `json:"uneven_ms"` // waiting for the last unit
	BarriersMs float64 `json:"barriers_ms"`
	AloneMs    float64 `json:"alone_ms"` // one thread works
	MemoryMs   float64 `json:"memory_ms"`
}

// ScaleMachines calculates the efficiency of so many machines, each as the row of so many cores.
type ScaleMachines struct {
	Machines                  int     `json:"machines"`
	Gigabits                  float64 `json:"gigabits_per_second"`
	Cores                     int     `json:"cores"`
	Workers                   int     `json:"workers"`
	ImagesPerMachine          int     `json:"images_per_machine"` // in an update
	EfficiencyPercent         float64 `json:"efficiency_percent"` // summed after the step
	OverlappedPercent         float64 `json:"efficiency_overlapped_percent"`
	ImagesPerSecond           float64 `json:"images_per_second"`
	ImagesPerSecondOverlapped float64 `json:"images_per_second_overlapped"`
}

const (
	maxScaleCores    = 128
	maxScaleMachines = 64
)

// doublings are 1, 2, 4, ... below n, and n.
func doublings(n int) (list []int) {
	for k := 1; k < n; k *= 2 {
		list = append(list, k)
	}
	return append(list, n)
}

// BenchScale measures training steps on 1, 2, 4 ... threads, in turn, and predicts those of larger
// machines from the durations of all units on one thread (schedule.Trace).
func BenchScale(env *Environment, o ScaleOptions) (ScaleReport, error) {
	if o.Threads == 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	benches, err := newScaleBenches(env, o)
	if err != nil {
		return ScaleReport{}, err
	}
	defer func() {
		for _, b := range benches {
			b.machine.Close()
		}
	}()
	one := benches[0]
	var cases []*scaleCase
	for _, b := range benches {
		cases = append(cases, &scaleCase{threads: b.Threads, workers: 1, step: b.step})
	}
	for w := 2; w <= o.Threads && one.workersFit(env, w); w *= 2 {
		c, err := one.workers(env, o.Threads, w)
		if err != nil {
			return ScaleReport{}, err
		}
		defer c.close()
		cases = append(cases, c)
	}
	var traces []*schedule.Trace
	for i := range o.Steps + 1 { // the first is not counted
		for _, c := range cases {
			start := time.Now()
			if err := c.step(); err != nil {
				return ScaleReport{}, err
			}
			if i > 0 {
				c.times = append(c.times, time.Since(start).Seconds())
			}
		}
		t, err := one.trace()
		if err != nil {
			return ScaleReport{}, err
		}
		if i > 0 {
			traces = append(traces, t)
		}
	}
	m := newScaleModel(schedule.MedianTrace(traces), one.gradientBytes, o)
	if err := one.divisions(env, o, m); err != nil {
		return ScaleReport{}, err
	}
	m.bandwidthOne, m.bandwidth = memoryBandwidth(1), memoryBandwidth(o.Threads)
	if runtime.GOMAXPROCS(0) > 1 {
		c := schedule.MeasureCosts()
		m.costs.Barrier, m.costs.Transfer = c.Barrier, c.Transfer
	}
	r := ScaleReport{
		Mode: "scale", Arch: one.spec.Name, Precision: one.device().precision.String(), Batch: one.Batch, Steps: o.Steps,
		Kernels: Kernels(one.device().precision), CPU: system.Read().CPU, Version: env.Version, Model: m.report(),
	}
	if one.sequences() {
		r.Frames = one.Frames
	}
	for _, c := range cases {
		r.Measured = append(r.Measured, m.measured(c.threads, c.workers, one.Batch, c.times, cases[0].times))
	}
	r.Predicted = m.rows(one.Batch)
	r.Bounds = m.bounds(o.Cores)
	r.Machines = m.machines(one.Batch, o.Cores)
	return r, nil
}

// scaleCase is what is measured in turn with others.
type scaleCase struct {
	threads, workers int
	step             func() error
	close            func()
	times            []float64 // seconds
}

// workersFit reports whether so many machines like this one take at most half of the memory.
func (b *scaleBench) workersFit(env *Environment, n int) bool {
	return float64(n)*float64(b.machine.Bytes()) <= float64(env.allowed(0).bytes)/2
}

// workers are machines that share the threads. A step is one of each at the same time, after which
// their gradients are added and the parameters, which they share, updated.
func (b *scaleBench) workers(env *Environment, threads, n int) (*scaleCase, error) {
	var list []*scaleBench
	c := &scaleCase{threads: threads, workers: n, close: func() {
		for _, w := range list {
			w.machine.Close()
		}
	}}
	for i := range n {
		w := &scaleBench{bench: bench{spec: b.spec, BenchOptions: b.BenchOptions}, params: b.params}
		w.Threads = max(1, (threads+n-1-i)/n)
		if i > 0 {
			w.params = b.params.Replica()
		}
		if err := w.compile(env, 0); err != nil {
			c.close()
			return nil, err
		}
		list = append(list, w)
	}
	list[0].sgd.Threads = threads
	errs := make([]error, n)
	all := func(f func(i int)) {
		var group sync.WaitGroup
		for i := range n {
			group.Go(func() { f(i) })
		}
		group.Wait()
	}
	c.step = func() error {
		all(func(i int) { errs[i] = list[i].gradients() })
		if err := errors.Join(errs...); err != nil {
			return err
		}
		all(func(i int) {
			grads := make([][]float32, n)
			for p := i; p < len(b.params.All()); p += n {
				for k, w := range list {
					grads[k] = w.params.All()[p].Grad
				}
				collective.AddWorkers(grads)
			}
		})
		list[0].update()
		return nil
	}
	return c, nil
}

// scaleBench is a machine of one number of threads.
type scaleBench struct {
	bench
	gradientBytes int64
	params        *graph.ParamSet
	arena         *schedule.Arena
}

// compile makes the machine, whose work is divided for so many threads; 0 is its own.
func (b *scaleBench) compile(env *Environment, divide int) error {
	g, err := b.graph(graph.Train, b.params)
	if err != nil {
		return err
	}
	o := b.device().options(0)
	o.Divide, o.Arena = divide, b.arena
	m, err := env.Compile(g, b.params, o)
	if err != nil {
		return err
	}
	b.machine, b.step = m, b.newStep(g, b.params, graph.Train)
	return nil
}

// trace records a step. Its update is a region, of units that the optimizer gives to threads.
func (b *scaleBench) trace() (*schedule.Trace, error) {
	t, err := b.machine.(*schedule.Machine).Trace(b.gradients)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	b.update()
	update := schedule.RegionTrace{Name: "update", Units: make([]time.Duration, b.sgd.Pieces()), Bytes: sgdBytes * int64(b.sgd.Values())}
	each := time.Since(start) / time.Duration(len(update.Units))
	for i := range update.Units {
		update.Units[i] = each
	}
	t.Regions = append(t.Regions, update)
	return t, nil
}

// sgdBytes are read and written for a parameter: itself, its gradient, its momentum.
const sgdBytes = 5 * 4

// divisions traces the work as it is divided for more threads than those that are measured.
func (b *scaleBench) divisions(env *Environment, o ScaleOptions, m *scaleModel) error {
	for threads := 2; threads <= maxScaleCores; threads *= 2 {
		d := &scaleBench{bench: bench{spec: b.spec, BenchOptions: b.BenchOptions}, params: b.params, arena: b.arena}
		if err := d.compile(env, threads); err != nil {
			return err
		}
		t, err := d.divided(o.Steps)
		d.machine.Close()
		if err != nil {
			return err
		}
		t.Regions = append(t.Regions, m.trace.Regions[len(m.trace.Regions)-1]) // the update
		m.divided = append(m.divided, t)
	}
	return nil
}

// divided is the median of so many traces of gradients, or of more where they take little time,
// because the longest of many units is that of the most disturbed one. A call before them leaves
// all values there.
func (b *scaleBench) divided(n int) (*schedule.Trace, error) {
	start := time.Now()
	if err := b.gradients(); err != nil {
		return nil, err
	}
	n = max(min(n, 5), min(25, int(tracesTime/time.Since(start))))
	var traces []*schedule.Trace
	for range n {
		t, err := b.machine.(*schedule.Machine).Trace(b.gradients)
		if err != nil {
			return nil, err
		}
		traces = append(traces, t)
	}
	return schedule.MedianTrace(traces), nil
}

// tracesTime is what traces of each division may take if they are more than five.
const tracesTime = 4 * time.Second

// newScaleBenches makes the machines, which share parameters and the memory of activations.
func newScaleBenches(env *Environment, o ScaleOptions) ([]*scaleBench, error) {
	if env.Machine == "tape" {
		return nil, config.Usagef("bench scale: the units are those of the schedule: unset RESNET_MACHINE")
	}
	spec, err := blocks.Lookup(o.Arch)
	if err != nil {
		return nil, &config.UsageError{Err: err}
	}
	if _, err := ParsePrecision(o.Precision); err != nil {
		return nil, err
	}
	memory := env.allowed(0)
	var list []*scaleBench
	params, arena := graph.NewParamSet(1), new(schedule.Arena)
	closeAll := func() {
		for _, b := range list {
			b.machine.Close()
		}
	}
	for _, threads := range doublings(o.Threads) {
		b := &scaleBench{params: params, arena: arena, bench: bench{spec: spec, BenchOptions: BenchOptions{Mode: "train", Arch: o.Arch, Batch: o.Batch, Frames: o.Frames, Threads: threads, Precision: o.Precision}}}
		b.defaultBatch()
		needs, err := b.leastMemory(graph.Train)
		if err != nil {
			return nil, err
		}
		if err := memory.check(needs...); err != nil {
			return nil, err
		}
		if err := b.compile(env, 0); err != nil {
			closeAll()
			return nil, memory.refuse(err, needs[0])
		}
		for _, p := range params.All() {
			b.gradientBytes += 4 * int64(len(p.Grad))
		}
		list = append(list, b)
	}
	return list, nil
}

// scaleModel predicts from the trace of one thread.
type scaleModel struct {
	trace *schedule.Trace
	// divided are traces of the work as it is divided for 2, 4, 8 ... threads.
	divided []*schedule.Trace
	costs   schedule.Costs // without bandwidth
	// Bytes a second: of this machine for one thread and for all, and of larger ones.
	bandwidthOne, bandwidth, large float64
	transfer                       time.Duration // of larger machines
	gradients                      int64         // bytes
}

// here are the costs of this machine.
func (m *scaleModel) here() schedule.Costs {
	c := m.costs
	c.Bandwidth, c.Each = m.bandwidth, m.bandwidthOne
	return c
}

// there are those of larger ones. Their cores are further from each other: what two threads take
// for a region without work is what it takes here and four slower transfers, of the line that
// begins it, of the counts of workers and teams, and of the line that ends it.
func (m *scaleModel) there() schedule.Costs {
	c := m.costs
	if slower := m.transfer - c.Transfer; slower > 0 {
		c.Barrier += 4 * slower
		c.Transfer = m.transfer
	}
	c.Bandwidth = m.large
	return c
}

// of is the trace of the work as it is divided for so many threads.
func (m *scaleModel) of(threads int) *schedule.Trace {
	t := m.trace
	for i, d := range m.divided {
		if 2<<i <= threads {
			t = d
		}
	}
	return t
}

func newScaleModel(t *schedule.Trace, gradients int64, o ScaleOptions) *scaleModel {
	return &scaleModel{trace: t, gradients: gradients, large: 1e9 * o.Bandwidth, transfer: time.Duration(o.Transfer)}
}

func (m *scaleModel) report() ScaleModel {
	r := ScaleModel{
		Regions: len(m.trace.Regions), AloneMs: milliseconds(m.trace.Alone()),
		BarrierMicroseconds: 1000 * milliseconds(m.costs.Barrier), TransferMicroseconds: 1000 * milliseconds(m.costs.Transfer),
		BytesPerStep: m.trace.Bytes(), GradientBytes: m.gradients,
		GigabytesPerSecondOne: m.bandwidthOne / 1e9, GigabytesPerSecond: m.bandwidth / 1e9, LargeGigabytesPerSecond: m.large / 1e9,
		LargeTransferMicroseconds: 1000 * milliseconds(m.there().Transfer),
	}
	for _, t := range m.trace.Regions {
		r.Units = max(r.Units, len(t.Units), len(t.Inner))
	}
	return r
}

// measured sets times of steps, in seconds, beside those of one thread and the prediction.
func (m *scaleModel) measured(threads, workers, batch int, times, one []float64) ScaleMeasured {
	times, one = slices.Sorted(slices.Values(times)), slices.Sorted(slices.Values(one))
	median := times[len(times)/2]
	_, predicted := m.predict(threads, workers, m.here())
	speedup := float64(workers) * one[len(one)/2] / median
	return ScaleMeasured{
		Threads: threads, Workers: workers, MsPerStep: 1000 * median, MsMin: 1000 * times[0], MsMax: 1000 * times[len(times)-1],
		ImagesPerSecond: float64(workers*batch) / median, Speedup: speedup, EfficiencyPercent: 100 * speedup / float64(threads),
		PredictedMs: 1000 * predicted, ErrorPercent: 100 * (predicted/median - 1),
	}
}

// predict predicts an update of so many workers that share cores and memory. Each has a batch;
// behind their steps the gradients of all are added by as many goroutines, which read all and
// write one,
// as fast as the memory and as one core each can.
func (m *scaleModel) predict(cores, workers int, c schedule.Costs) (p schedule.Prediction, seconds float64) {
	bandwidth := c.Bandwidth
	c.Bandwidth /= float64(workers)
	p = m.of(cores/workers).Predict(cores/workers, c)
	seconds = p.Time.Seconds()
	if workers > 1 {
		rate := m.bandwidthOne * float64(workers)
		if bandwidth > 0 {
			rate = min(rate, bandwidth)
		}
		seconds += float64(workers+1) * float64(m.gradients) / rate
	}
	return p, seconds
}

// row predicts a larger machine.
func (m *scaleModel) row(cores, workers, batch int) ScaleRow {
	p, seconds := m.predict(cores, workers, m.there())
	speedup := float64(workers) * m.trace.Predict(1, schedule.Costs{}).Time.Seconds() / seconds
	return ScaleRow{
		Cores: cores, Workers: workers, MsPerUpdate: 1000 * seconds, ImagesPerSecond: float64(workers*batch) / seconds,
		Speedup: speedup, EfficiencyPercent: 100 * speedup / float64(cores),
		MemoryBoundPercent: 100 * p.MemoryBound.Seconds() / seconds, backward: p.Backward.Seconds(),
	}
}

// rows predict each number of cores with one worker, and with the workers that are best.
func (m *scaleModel) rows(batch int) (rows []ScaleRow) {
	for cores := 1; cores <= maxScaleCores; cores *= 2 {
		rows = append(rows, m.row(cores, 1, batch))
		if best := m.best(cores, batch); best.Workers > 1 {
			rows = append(rows, best)
		}
	}
	return rows
}

// divisionName is the first of the bounds: what the work takes longer that is divided for many.
const divisionName = "smaller parts"

// bounds are those of so many cores with one worker.
func (m *scaleModel) bounds(cores int) []ScaleBound {
	c := m.there()
	whole, divided := m.trace.Predict(1, schedule.Costs{}).Time, m.of(cores).Predict(1, schedule.Costs{}).Time
	longer := milliseconds(divided-whole) / float64(cores)
	list := []ScaleBound{{Steps: divisionName, WorkMs: milliseconds(divided - whole), Ms: longer, LostMs: longer}}
	for _, l := range m.of(cores).Losses(cores, c) {
		list = append(list, ScaleBound{
			Steps: l.Name, Regions: l.Regions, Units: l.Units, WorkMs: milliseconds(l.Work), Ms: milliseconds(l.Time), LostMs: milliseconds(l.Lost()),
			UnevenMs: milliseconds(l.Uneven), BarriersMs: milliseconds(l.Barriers), AloneMs: milliseconds(l.Alone), MemoryMs: milliseconds(l.Memory),
		})
	}
	return list
}

// best is the row of the workers with the highest rate, the fewest where several have it.
func (m *scaleModel) best(cores, batch int) ScaleRow {
	best := m.row(cores, 1, batch)
	for workers := 2; workers <= cores; workers *= 2 {
		if r := m.row(cores, workers, batch); r.ImagesPerSecond > best.ImagesPerSecond*(1+1e-9) {
			best = r
		}
	}
	return best
}

// machines calculates clusters of machines of so many cores, with one worker and with the best.
func (m *scaleModel) machines(batch, cores int) (rows []ScaleMachines) {
	nodes := []ScaleRow{m.row(cores, 1, batch)}
	if best := m.best(cores, batch); best.Workers > 1 {
		nodes = append(nodes, best)
	}
	for _, node := range nodes {
		for _, w := range scaleNetworks {
			for n := 2; n <= maxScaleMachines; n *= 2 {
				after, beside := w.Efficiency(n, node.MsPerUpdate/1000, node.backward, float64(m.gradients))
				rows = append(rows, ScaleMachines{
					Machines: n, Gigabits: w.Gigabits, Cores: cores, Workers: node.Workers, ImagesPerMachine: node.Workers * batch,
					EfficiencyPercent: 100 * after, OverlappedPercent: 100 * beside,
					ImagesPerSecond: float64(n) * after * node.ImagesPerSecond, ImagesPerSecondOverlapped: float64(n) * beside * node.ImagesPerSecond,
				})
			}
		}
	}
	return rows
}

// memoryBandwidth is how many bytes a second so many threads read and write together where they
// copy 32 MB each, at best of five times.
func memoryBandwidth(threads int) float64 {
	const values = 8 << 20
	from, to := make([][]float32, threads), make([][]float32, threads)
	done := make(chan bool, threads)
	each := func(f func(i int)) {
		for i := range threads {
			go func() { f(i); done <- true }()
		}
		for range threads {
			<-done
		}
	}
	each(func(i int) {
		from[i], to[i] = make([]float32, values), make([]float32, values)
		for j := range values {
			from[i][j], to[i][j] = 1, 2
		}
	})
	best := math.Inf(1)
	for range 5 {
		start := time.Now()
		each(func(i int) { copy(to[i], from[i]) })
		best = min(best, time.Since(start).Seconds())
	}
	return float64(threads) * 2 * 4 * values / best
}
