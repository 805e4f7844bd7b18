package schedule

import "testing"

// StepNames lists the steps of a machine in their order.
func StepNames(m *Machine) (names []string) {
	for _, r := range m.regions {
		for _, s := range r.steps {
			names = append(names, s.name)
		}
	}
	return names
}

// TimeSteps puts clocks into a machine; after some runs, done prints what BenchmarkSteps prints.
func TimeSteps(b *testing.B, m *Machine) (reset, done func()) {
	spent := m.timeSteps()
	reset = func() {
		for _, s := range spent {
			s.reset()
		}
	}
	return reset, func() { report(b, spent, len(m.workers)) }
}
