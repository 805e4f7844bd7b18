// Package system says what the machine under a process offers: processor, memory and the limits of
// its control groups and of the process itself.
package system

import (
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
)

// Info is what this machine offers; zero means unknown.
type Info struct {
	CPU string `json:"cpu"`
	// Logical, as the system shows them to this process.
	Cores int `json:"cores"`
	// Cores allowed by the control group; 0 means no limit is known.
	Quota       float64 `json:"quota"`
	Threads     int     `json:"threads"`         // used by default
	MemoryNodes int     `json:"memory_nodes"`    // with processors of this process (NUMA)
	MemoryTotal int64   `json:"memory_total"`    // bytes
	MemoryFree  int64   `json:"memory_free"`     // bytes that can be had without swapping
	MemoryLimit int64   `json:"memory_limit"`    // of the tightest control group; 0 means none
	MemoryUsed  int64   `json:"memory_in_group"` // of MemoryLimit
	Limits      []Limit `json:"memory_limits"`   // all that bounds the memory
}

// tree is where the system's files are.
var tree atomic.Value

// UseTree makes Read look for the system's files below root until restore is called: for tests, in
// which a folder stands for a machine.
func UseTree(root string) (restore func()) {
	old := tree.Load()
	tree.Store(root)
	return func() {
		if old == nil {
			old = "/"
		}
		tree.Store(old)
	}
}

// Read asks the system. What it does not tell is zero.
func Read() Info { return read(systemFiles()) }

func systemFiles() files {
	root, ok := tree.Load().(string)
	if !ok {
		root = "/"
	}
	return files(root)
}

// read is Read for a system whose files are below a folder.
func read(f files) Info {
	s := Info{Cores: runtime.NumCPU(), Threads: runtime.GOMAXPROCS(0), Quota: f.quota(), Limits: f.limits(), MemoryNodes: len(f.nodes())}
	s.CPU = f.processor()
	s.MemoryTotal = kilobytes(f.field("/proc/meminfo", "MemTotal"))
	s.MemoryFree = kilobytes(f.field("/proc/meminfo", "MemAvailable"))
	var group Limit
	for _, l := range s.Limits {
		if l.Kind == ControlGroup && (group.Kind == "" || l.Room() < group.Room()) {
			group = l
		}
	}
	s.MemoryLimit, s.MemoryUsed = group.Bytes, group.Used
	return s
}

// processor is the name of the processor, or what Linux on arm64 gives: numbers alone.
func (f files) processor() string {
	if name := f.field("/proc/cpuinfo", "model name"); name != "" {
		return name
	}
	part := f.field("/proc/cpuinfo", "CPU part")
	if part == "" {
		return ""
	}
	return "arm64 processor of implementer " + f.field("/proc/cpuinfo", "CPU implementer") + ", part " + part
}

// field returns the value of "name : value" in a file under /proc, or "".
func (f files) field(path, name string) string {
	text, err := f.read(path)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(text) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == name {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

func kilobytes(s string) int64 {
	n, err := strconv.ParseInt(strings.TrimSuffix(s, " kB"), 10, 64)
	if err != nil || n < 0 || n >= unlimited>>10 {
		return 0
	}
	return n << 10
}
