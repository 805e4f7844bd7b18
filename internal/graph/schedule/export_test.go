package schedule

// StepNames lists the steps of a machine in their order.
func StepNames(m *Machine) (names []string) {
	for _, r := range m.regions {
		for _, s := range r.steps {
			names = append(names, s.name)
		}
	}
	return names
}
