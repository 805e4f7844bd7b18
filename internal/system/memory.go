package system

import (
	"fmt"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
)

// Kinds of Limit.
const (
	Machine      = "machine"
	ControlGroup = "cgroup"
	GoLimit      = "GOMEMLIMIT"
	AddressSpace = "RLIMIT_AS"
	DataSegment  = "RLIMIT_DATA"
)

// Limit is a bound on what this process may take of memory.
type Limit struct {
	Kind   string `json:"kind"`
	Source string `json:"source"` // the file that sets it, or its name
	Bytes  int64  `json:"bytes"`
	Used   int64  `json:"used"` // of Bytes, without what the system gives back when it is wanted
}

// Room is what is left below the limit, at least 1.
func (l Limit) Room() int64 { return max(l.Bytes-l.Used, 1) }

// String names the limit in words that fit before "allows".
func (l Limit) String() string {
	switch l.Kind {
	case ControlGroup:
		return "the control group (" + l.Source + ")"
	case Machine:
		return "the machine"
	case GoLimit:
		return l.Source
	}
	return fmt.Sprintf("the resource limit %s (ulimit -%s)", l.Kind, map[string]string{AddressSpace: "v", DataSegment: "d"}[l.Kind])
}

// Binding is the limit that leaves least; false where nothing is known.
func (s Info) Binding() (Limit, bool) {
	var least Limit
	for i, l := range s.Limits {
		if i == 0 || l.Room() < least.Room() {
			least = l
		}
	}
	return least, len(s.Limits) > 0
}

// Available is how many bytes a training may take, or 0 when that is unknown.
func (s Info) Available() int64 {
	l, ok := s.Binding()
	if !ok {
		return 0
	}
	return l.Room()
}

// limits are all that is known to bound the memory of this process.
func (f files) limits() (list []Limit) {
	total, free := kilobytes(f.field("/proc/meminfo", "MemTotal")), kilobytes(f.field("/proc/meminfo", "MemAvailable"))
	if free > 0 {
		list = append(list, Limit{Kind: Machine, Source: "/proc/meminfo", Bytes: max(total, free), Used: max(total-free, 0)})
	}
	list = append(list, f.memoryGroups()...)
	for _, l := range []struct{ kind, name, used string }{{AddressSpace, "Max address space", "VmSize"}, {DataSegment, "Max data size", "VmData"}} {
		if n, ok := f.resource(l.name); ok {
			list = append(list, Limit{Kind: l.kind, Source: l.kind, Bytes: n, Used: kilobytes(f.field("/proc/self/status", l.used))})
		}
	}
	if n := debug.SetMemoryLimit(-1); n < unlimited {
		list = append(list, Limit{Kind: GoLimit, Source: GoLimit, Bytes: n, Used: goMemory()})
	}
	return list
}

// resource reads the soft limit of a line of /proc/self/limits: "Max data size  soft  hard  bytes".
func (f files) resource(name string) (int64, bool) {
	text, _ := f.read("/proc/self/limits")
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(line, name)
		if !ok {
			continue
		}
		if parts := strings.Fields(rest); len(parts) > 0 {
			n, err := strconv.ParseInt(parts[0], 10, 64)
			return n, err == nil && n < unlimited // "unlimited"
		}
	}
	return 0, false
}

// goMemory is what counts against GOMEMLIMIT.
func goMemory() int64 {
	s := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(s)
	if s[0].Value.Kind() != metrics.KindUint64 || s[1].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return int64(s[0].Value.Uint64() - s[1].Value.Uint64())
}
