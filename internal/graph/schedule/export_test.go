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

// RegionUnits are the numbers of units of the regions of a machine.
func RegionUnits(m *Machine) (list []int) {
	for i := range m.regions {
		list = append(list, len(m.regions[i].spans))
	}
	return list
}

// InnerUnits are the numbers of units that the last steps of regions are divided into besides.
func InnerUnits(m *Machine) (list []int) {
	for _, r := range m.regions {
		list = append(list, r.steps[len(r.steps)-1].inner)
	}
	return list
}
