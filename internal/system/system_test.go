package system

import (
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"testing"
)

// machine lays out the files of a system below a folder.
func machine(t *testing.T, laid map[string]string) files {
	t.Helper()
	root := t.TempDir()
	for name, text := range laid {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return files(root)
}

const (
	cpuinfo = "processor\t: 0\nvendor_id\t: X\nmodel name\t: A Processor @ 2.0GHz: fast\nprocessor\t: 1\nmodel name\t: Another\n"
	meminfo = "MemTotal:        8000 kB\nMemFree:          100 kB\nMemAvailable:    3000 kB\n"
)

func TestAMachineIsReadFromItsFiles(t *testing.T) {
	for name, c := range map[string]struct {
		files     map[string]string
		want      Info
		available int64
	}{
		"nothing": {},
		"no group": {
			map[string]string{"proc/cpuinfo": cpuinfo, "proc/meminfo": meminfo},
			Info{CPU: "A Processor @ 2.0GHz: fast", MemoryTotal: 8000 << 10, MemoryFree: 3000 << 10},
			3000 << 10,
		},
		"arm64": {
			map[string]string{"proc/cpuinfo": "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n"},
			Info{CPU: "arm64 processor of implementer 0x41, part 0xd0c"},
			0,
		},
		"version 2": {
			map[string]string{
				"proc/meminfo": meminfo, "sys/fs/cgroup/cpu.max": "150000 100000\n",
				"sys/fs/cgroup/memory.max": "2000000\n", "sys/fs/cgroup/memory.current": "500000\n",
			},
			Info{MemoryTotal: 8000 << 10, MemoryFree: 3000 << 10, Quota: 1.5, MemoryLimit: 2_000_000, MemoryUsed: 500_000},
			1_500_000,
		},
		"version 2 without limits": {
			map[string]string{
				"proc/meminfo": meminfo, "sys/fs/cgroup/cpu.max": "max 100000\n",
				"sys/fs/cgroup/memory.max": "max\n", "sys/fs/cgroup/memory.current": "500000\n",
			},
			Info{MemoryTotal: 8000 << 10, MemoryFree: 3000 << 10},
			3000 << 10,
		},
		"version 1": {
			map[string]string{
				"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "50000\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "200000\n",
				"sys/fs/cgroup/memory/memory.limit_in_bytes": "7000\n", "sys/fs/cgroup/memory/memory.usage_in_bytes": "3000\n",
			},
			Info{Quota: 0.25, MemoryLimit: 7000, MemoryUsed: 3000},
			4000,
		},
		"version 1 without limits": {map[string]string{
			"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
		}, Info{}, 0},
		"a group that is full": {
			map[string]string{"proc/meminfo": meminfo, "sys/fs/cgroup/memory.max": "1000\n", "sys/fs/cgroup/memory.current": "1500\n"},
			Info{MemoryTotal: 8000 << 10, MemoryFree: 3000 << 10, MemoryLimit: 1000, MemoryUsed: 1500},
			1,
		},
		"a group larger than what is free": {
			map[string]string{"proc/meminfo": meminfo, "sys/fs/cgroup/memory.max": "999999999\n", "sys/fs/cgroup/memory.current": "0\n"},
			Info{MemoryTotal: 8000 << 10, MemoryFree: 3000 << 10, MemoryLimit: 999_999_999},
			3000 << 10,
		},
	} {
		got := read(machine(t, c.files))
		if free := got.Available(); free != c.available {
			t.Errorf("%s: %d bytes available, want %d", name, free, c.available)
		}
		c.want.Cores, c.want.Threads = runtime.NumCPU(), runtime.GOMAXPROCS(0)
		got.Limits = nil // TestTheLeastOfAllMemoryLimitsBinds
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}
