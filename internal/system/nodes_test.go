package system

import (
	"reflect"
	"testing"
)

// TestNodesOfMemoryAreReadFromTheirFiles: those that the process may run on.
func TestNodesOfMemoryAreReadFromTheirFiles(t *testing.T) {
	const node = "sys/devices/system/node/"
	two := map[string]string{
		node + "online": "0-1\n", node + "node0/cpulist": "0-2,8\n", node + "node1/cpulist": "3-5,9-10\n",
	}
	with := func(more ...string) map[string]string {
		m := map[string]string{}
		for k, v := range two {
			m[k] = v
		}
		for i := 0; i < len(more); i += 2 {
			m[more[i]] = more[i+1]
		}
		return m
	}
	for name, c := range map[string]struct {
		files map[string]string
		want  [][]int
	}{
		"nothing":             {},
		"two":                 {two, [][]int{{0, 1, 2, 8}, {3, 4, 5, 9, 10}}},
		"bound to some":       {with("proc/self/status", "Name:\tx\nCpus_allowed:\tfff\nCpus_allowed_list:\t2,8-9\n"), [][]int{{2, 8}, {9}}},
		"bound to one node":   {with("proc/self/status", "Cpus_allowed_list:\t4\n"), [][]int{{4}}},
		"memory without CPUs": {with(node+"online", "0-2,5", node+"node2/cpulist", "\n"), [][]int{{0, 1, 2, 8}, {3, 4, 5, 9, 10}}},
		"no list":             {with(node+"online", "zero"), nil},
		"backwards":           {with(node+"node1/cpulist", "5-3"), [][]int{{0, 1, 2, 8}}},
		"endless":             {with(node+"node1/cpulist", "5-3000000000"), [][]int{{0, 1, 2, 8}}},
		"negative":            {with(node+"node1/cpulist", "-3"), [][]int{{0, 1, 2, 8}}},
	} {
		if got := machine(t, c.files).nodes(); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
