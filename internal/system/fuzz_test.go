package system

import (
	"math"
	"os"
	"path/filepath"
	"testing"
)

// FuzzSystem: whatever the files that describe a machine say, reading them ends, and no limit is
// negative or infinite.
func FuzzSystem(f *testing.F) {
	f.Add("0::/user.slice\n", otherMounts+v2Mount, "200000 100000\n", "1000000\n", "inactive_file 5\nhierarchical_memory_limit 7\n", meminfo24GB+status)
	f.Add("4:memory,cpu:/a/b\n0::/\n", v1Mount, "max 100000", "max", "total_inactive_file 9\n", "MemAvailable: 1 kB\n")
	f.Add("0::/../..\n", "1 2 3:4 /x\\040y sys/./fs//cgroup rw - cgroup2 x x\n", "Inf 1", "-1", "",
		"MemTotal: 9223372036854775807 kB\n")
	f.Fuzz(func(t *testing.T, own, mounts, quota, limit, stat, machine string) {
		root := t.TempDir()
		for path, text := range map[string]string{
			own2: own, mountinfo: mounts, "proc/meminfo": machine, "proc/self/status": machine, "proc/self/limits": machine,
			"sys/fs/cgroup/cpu.max": quota, "sys/fs/cgroup/memory.max": limit, "sys/fs/cgroup/memory.current": limit, "sys/fs/cgroup/memory.stat": stat,
			"sys/fs/cgroup/memory/memory.limit_in_bytes": limit, "sys/fs/cgroup/memory/memory.usage_in_bytes": limit, "sys/fs/cgroup/memory/memory.stat": stat,
		} {
			path = filepath.Join(root, path)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		s := read(files(root))
		if !(s.Quota >= 0) || math.IsInf(s.Quota, 0) || s.MemoryTotal < 0 || s.MemoryFree < 0 || s.MemoryLimit < 0 || s.MemoryUsed < 0 {
			t.Fatalf("%+v", s)
		}
		for _, l := range s.Limits {
			if l.Bytes < 0 || l.Used < 0 || l.Room() < 1 {
				t.Fatalf("%+v", l)
			}
		}
	})
}
