// Package system says what the machine under a process offers: processor, memory and the limits of
// its control group.
package system

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// Info is what this machine offers; zero means unknown.
type Info struct {
	CPU string `json:"cpu"`
	// Logical, as the system shows them to this process.
	Cores int `json:"cores"`
	// Cores allowed by the control group; 0 means no limit is known.
	Quota       float64 `json:"quota"`
	Threads     int     `json:"threads"`         // used by default
	MemoryTotal int64   `json:"memory_total"`    // bytes
	MemoryFree  int64   `json:"memory_free"`     // bytes that can be had without swapping
	MemoryLimit int64   `json:"memory_limit"`    // of the control group; 0 means none is known
	MemoryUsed  int64   `json:"memory_in_group"` // of MemoryLimit
}

// Read asks the system. What it does not tell is zero.
func Read() Info { return read("/") }

// read is Read for a system whose files are below root.
func read(root string) Info {
	s := Info{Cores: runtime.NumCPU(), Threads: runtime.GOMAXPROCS(0)}
	s.CPU = procField(filepath.Join(root, "proc/cpuinfo"), "model name")
	s.MemoryTotal = kilobytes(procField(filepath.Join(root, "proc/meminfo"), "MemTotal"))
	s.MemoryFree = kilobytes(procField(filepath.Join(root, "proc/meminfo"), "MemAvailable"))
	group := cgroup(filepath.Join(root, "sys/fs/cgroup"))
	s.Quota = group.quota()
	s.MemoryLimit = group.number("memory.max", "memory/memory.limit_in_bytes")
	s.MemoryUsed = group.number("memory.current", "memory/memory.usage_in_bytes")
	if s.MemoryLimit > 1<<60 { // version 1 writes "none" as the largest multiple of a page
		s.MemoryLimit = 0
	}
	return s
}

// Available is how many bytes a training may take, or 0 when that is unknown.
func (s Info) Available() int64 {
	free := s.MemoryFree
	if s.MemoryLimit > 0 {
		if room := s.MemoryLimit - s.MemoryUsed; free == 0 || room < free {
			free = max(room, 1)
		}
	}
	return free
}

// procField returns the value of "name : value" in a file under /proc, or "".
func procField(path, name string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(data)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == name {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

func kilobytes(s string) int64 {
	n, err := strconv.ParseInt(strings.TrimSuffix(s, " kB"), 10, 64)
	if err != nil {
		return 0
	}
	return n << 10
}

// cgroup is the folder of the control group's files.
type cgroup string

// quota reads the processor limit of the control group, version 2 or 1.
func (g cgroup) quota() float64 {
	if data, err := os.ReadFile(filepath.Join(string(g), "cpu.max")); err == nil {
		f := strings.Fields(string(data))
		if len(f) == 2 {
			return ratio(f[0], f[1])
		}
	}
	quota, err1 := os.ReadFile(filepath.Join(string(g), "cpu/cpu.cfs_quota_us"))
	period, err2 := os.ReadFile(filepath.Join(string(g), "cpu/cpu.cfs_period_us"))
	if err1 != nil || err2 != nil {
		return 0
	}
	return ratio(strings.TrimSpace(string(quota)), strings.TrimSpace(string(period)))
}

func ratio(a, b string) float64 {
	x, err1 := strconv.ParseFloat(a, 64)
	y, err2 := strconv.ParseFloat(b, 64)
	if err1 != nil || err2 != nil || x <= 0 || y <= 0 { // "max", or -1
		return 0
	}
	return x / y
}

// number reads a file of version 2, or else of version 1.
func (g cgroup) number(v2, v1 string) int64 {
	for _, name := range []string{v2, v1} {
		data, err := os.ReadFile(filepath.Join(string(g), name))
		if err != nil {
			continue
		}
		if n, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64); err == nil {
			return n
		}
	}
	return 0
}
