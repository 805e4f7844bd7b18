package system

import (
	"slices"
	"strconv"
	"strings"
)

// Nodes lists the processors of each node of memory (NUMA) that this process may run on, by their
// numbers. Nodes without any are left out, and it is nil where the system does not tell, as only
// Linux does.
func Nodes() [][]int { return systemFiles().nodes() }

// nodes reads /sys/devices/system/node; /proc/self/status has the processors that are allowed.
func (f files) nodes() (list [][]int) {
	online, err := f.read("/sys/devices/system/node/online")
	if err != nil {
		return nil
	}
	allowed, limited := numbers(f.field("/proc/self/status", "Cpus_allowed_list"))
	ids, _ := numbers(online)
	for _, id := range ids {
		text, _ := f.read("/sys/devices/system/node/node" + strconv.Itoa(id) + "/cpulist")
		cpus, _ := numbers(text)
		if limited {
			cpus = slices.DeleteFunc(cpus, func(cpu int) bool { return !slices.Contains(allowed, cpu) })
		}
		if len(cpus) > 0 {
			list = append(list, cpus)
		}
	}
	return list
}

// maxProcessors is above the number of processors and nodes that Linux can be built for.
const maxProcessors = 1 << 14

// numbers reads the form "0-3,8,10-11" of lists of processors and nodes. What is not of that form
// is no list.
func numbers(text string) (list []int, ok bool) {
	for part := range strings.SplitSeq(strings.TrimSpace(text), ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, err := strconv.Atoi(first)
		to, err2 := strconv.Atoi(last)
		if err != nil || err2 != nil || from < 0 || to < from || to >= maxProcessors {
			return nil, false
		}
		for n := from; n <= to; n++ {
			list = append(list, n)
		}
	}
	return list, true
}
