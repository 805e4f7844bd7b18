package train

import "time"

// meter measures time: none of it enters a checkpoint or metrics.csv.
type meter struct {
	now     func() time.Time
	started time.Time
	wait    time.Duration // for batches
	ranks   time.Duration // with other ranks: for them, and for what goes between them
	told    struct {      // by waiting
		ranks   time.Duration
		updates int
	}
	updating time.Duration // all updates
	updates  int
	smooth   float64 // seconds per update, moving average
}

func newMeter(now func() time.Time) *meter {
	if now == nil {
		now = time.Now
	}
	return &meter{now: now, started: now()}
}

func (m *meter) elapsed() time.Duration { return m.now().Sub(m.started) }

// update records the time of one update.
func (m *meter) update(d time.Duration) {
	m.updates++
	m.updating += d
	w := max(0.05, 1/float64(m.updates)) // a plain mean at first, then over about 20 updates
	m.smooth += w * (d.Seconds() - m.smooth)
}

// waiting is the time of an update with other ranks, in milliseconds: the mean since the last call.
func (m *meter) waiting() float64 {
	since, updates := m.ranks-m.told.ranks, m.updates-m.told.updates
	m.told.ranks, m.told.updates = m.ranks, m.updates
	if updates == 0 {
		return 0
	}
	return float64(since.Microseconds()) / 1000 / float64(updates)
}

// rate is images per second over about the last 20 updates; mean is over all.
func (m *meter) rate(imagesPerStep int) float64 { return perSecond(float64(imagesPerStep), m.smooth) }

func (m *meter) mean(imagesPerStep int) float64 {
	return perSecond(float64(imagesPerStep)*float64(m.updates), m.updating.Seconds())
}

// eta assumes that evaluations and checkpoints go on taking their share of the time.
func (m *meter) eta(left int) time.Duration {
	if m.updates == 0 {
		return 0
	}
	share := 1.0
	if m.updating > 0 {
		share = max(1, float64(m.elapsed())/float64(m.updating))
	}
	return time.Duration(float64(left) * m.smooth * share * float64(time.Second))
}

func perSecond(n, seconds float64) float64 {
	if seconds <= 0 {
		return 0
	}
	return n / seconds
}
