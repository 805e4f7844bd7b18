package system

import (
	"fmt"
	"maps"
	"math"
	"runtime/debug"
	"strings"
	"testing"
)

const (
	v2Mount     = "31 23 0:28 / /sys/fs/cgroup rw,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
	v1Mount     = "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
	otherMounts = "22 27 0:21 / /proc rw - proc proc rw\n24 27 0:6 / /dev rw - devtmpfs devtmpfs rw\nodd line\n40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n"
	meminfo24GB = "MemTotal:        24000000 kB\nMemAvailable:    23000000 kB\n"
	own2        = "proc/self/cgroup"
	mountinfo   = "proc/self/mountinfo"
	status      = "Name:\tresnet\nVmSize:\t 1000000 kB\nVmData:\t  200000 kB\n"
)

// group lays out a control group of version 2.
func group(dir, limit string, current, inactive int64) map[string]string {
	return map[string]string{
		dir + "/memory.max": limit + "\n", dir + "/memory.current": fmt.Sprintln(current),
		dir + "/memory.stat": fmt.Sprintf("anon 1\nactive_file 7\ninactive_file %d\n", inactive),
	}
}

// group1 lays out one of version 1.
func group1(dir, limit string, usage, inactive int64) map[string]string {
	return map[string]string{
		dir + "/memory.limit_in_bytes": limit + "\n", dir + "/memory.usage_in_bytes": fmt.Sprintln(usage),
		dir + "/memory.stat": fmt.Sprintf("inactive_file 0\ntotal_inactive_file %d\nhierarchical_memory_limit 9223372036854771712\n", inactive),
	}
}

func joined(parts ...map[string]string) map[string]string {
	all := map[string]string{"proc/meminfo": meminfo24GB}
	for _, p := range parts {
		maps.Copy(all, p)
	}
	return all
}

// TestTheLeastOfAllMemoryLimitsBinds lays out the files of machines as systemd, Slurm, Kubernetes
// and containers make them; rooms are counted by hand.
func TestTheLeastOfAllMemoryLimitsBinds(t *testing.T) {
	const none1 = "9223372036854771712"
	for name, c := range map[string]struct {
		files  map[string]string
		source string
		room   int64
	}{
		"systemd scope below a slice with less": {joined(
			map[string]string{own2: "0::/user.slice/user-1.slice/run-1.scope\n", mountinfo: otherMounts + v2Mount},
			group("sys/fs/cgroup/user.slice/user-1.slice/run-1.scope", "9000000000", 100, 0),
			group("sys/fs/cgroup/user.slice/user-1.slice", "4000000000", 1_500_000_000, 500_000_000),
			group("sys/fs/cgroup/user.slice", "max", 2_000_000_000, 0),
		), "/sys/fs/cgroup/user.slice/user-1.slice/memory.max", 3_000_000_000},
		"the innermost group": {joined(
			map[string]string{own2: "0::/a/b\n", mountinfo: v2Mount},
			group("sys/fs/cgroup/a/b", "3000000000", 250, 50), group("sys/fs/cgroup/a", "8000000000", 0, 0),
			group("sys/fs/cgroup/other", "1000", 0, 0),
		), "/sys/fs/cgroup/a/b/memory.max", 3_000_000_000 - 200},
		"memory.high below memory.max": {joined(
			map[string]string{own2: "0::/a\n", mountinfo: v2Mount, "sys/fs/cgroup/a/memory.high": "2000000000\n"},
			group("sys/fs/cgroup/a", "3000000000", 0, 0),
		), "/sys/fs/cgroup/a/memory.high", 2_000_000_000},
		"Slurm, version 1": {joined(
			map[string]string{own2: "4:memory:/slurm/uid_1/job_7/step_0\n1:cpu:/\n0::/\n", mountinfo: otherMounts + v1Mount},
			group1("sys/fs/cgroup/memory/slurm/uid_1/job_7/step_0", none1, 100, 0),
			group1("sys/fs/cgroup/memory/slurm/uid_1/job_7", "3000000000", 700_000_000, 200_000_000),
			group1("sys/fs/cgroup/memory/slurm", none1, 0, 0),
		), "/sys/fs/cgroup/memory/slurm/uid_1/job_7/memory.limit_in_bytes", 2_500_000_000},
		"Kubernetes, version 1: the mount is the container's group": {joined(
			map[string]string{
				own2: "4:memory:/kubepods/burstable/pod1/c1\n", mountinfo: "35 31 0:32 /kubepods/burstable/pod1/c1 /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n",
			},
			group1("sys/fs/cgroup/memory", "2000000000", 0, 0),
		), "/sys/fs/cgroup/memory/memory.limit_in_bytes", 2_000_000_000},
		"a pod's limit that the container sees as a number alone": {joined(
			map[string]string{own2: "4:memory:/\n", mountinfo: v1Mount}, group1("sys/fs/cgroup/memory", none1, 100, 0),
			map[string]string{"sys/fs/cgroup/memory/memory.stat": "total_inactive_file 0\nhierarchical_memory_limit 1500000100\n"},
		), "/sys/fs/cgroup/memory/memory.stat", 1_500_000_000},
		"hybrid: version 1 has the memory": {joined(
			map[string]string{
				own2: "4:memory:/job\n1:name=systemd:/init\n0::/init\n", mountinfo: v1Mount + strings.ReplaceAll(v2Mount, "/sys/fs/cgroup", "/sys/fs/cgroup/unified"),
				"sys/fs/cgroup/unified/init/cgroup.procs": "1\n",
			},
			group1("sys/fs/cgroup/memory/job", "3000000000", 0, 0),
		), "/sys/fs/cgroup/memory/job/memory.limit_in_bytes", 3_000_000_000},
		"a namespace of control groups": {joined(
			map[string]string{own2: "0::/\n", mountinfo: v2Mount}, group("sys/fs/cgroup", "3000000000", 0, 0),
		), "/sys/fs/cgroup/memory.max", 3_000_000_000},
		"moved out of the namespace's root": {joined(
			map[string]string{own2: "0::/../other\n", mountinfo: v2Mount}, group("sys/fs/cgroup", "3000000000", 0, 0),
		), "/sys/fs/cgroup/memory.max", 3_000_000_000},
		"a group of which the folder is gone": {joined(
			map[string]string{own2: "0::/a/gone\n", mountinfo: v2Mount}, group("sys/fs/cgroup/a", "3000000000", 0, 0),
		), "/sys/fs/cgroup/a/memory.max", 3_000_000_000},
		"a mount point with a space": {joined(
			map[string]string{own2: "0::/a\n", mountinfo: `31 23 0:28 / /my\040groups rw - cgroup2 cgroup2 rw` + "\n"}, group("my groups/a", "3000000000", 0, 0),
		), "/my groups/a/memory.max", 3_000_000_000},
		"a full group leaves something": {joined(
			map[string]string{own2: "0::/a\n", mountinfo: v2Mount}, group("sys/fs/cgroup/a", "1000", 5000, 100),
		), "/sys/fs/cgroup/a/memory.max", 1},
		"a limit above what is free": {joined(
			map[string]string{own2: "0::/a\n", mountinfo: v2Mount}, group("sys/fs/cgroup/a", "90000000000", 0, 0),
		), "/proc/meminfo", 23_000_000 << 10},
		"a limit of the address space": {joined(
			map[string]string{"proc/self/status": status, "proc/self/limits": "Limit                     Soft Limit           Hard Limit           Units     \nMax data size             unlimited            unlimited            bytes     \nMax address space         3000000000           unlimited            bytes     \n"},
		), AddressSpace, 3_000_000_000 - 1_000_000<<10},
		"a limit of the data": {joined(
			map[string]string{"proc/self/status": status, "proc/self/limits": "Max data size             2000000000           2000000000           bytes     \nMax address space         unlimited            unlimited            bytes     \n"},
		), DataSegment, 2_000_000_000 - 200_000<<10},
		"nothing known": {nil, "", 0},
	} {
		s := read(machine(t, c.files))
		l, _ := s.Binding()
		if l.Source != c.source || s.Available() != c.room {
			t.Errorf("%s: %s leaves %d, want %s and %d; all: %+v", name, l.Source, s.Available(), c.source, c.room, s.Limits)
		}
	}
}

func TestTheLimitOfGoIsOne(t *testing.T) {
	before := debug.SetMemoryLimit(3 << 30)
	defer debug.SetMemoryLimit(before)
	l, _ := read(machine(t, joined())).Binding()
	if l.Kind != GoLimit || l.Bytes != 3<<30 || l.Used < 1<<20 || l.Used > 1<<30 {
		t.Errorf("%+v", l)
	}
	debug.SetMemoryLimit(math.MaxInt64)
	if l, _ = read(machine(t, joined())).Binding(); l.Kind != Machine {
		t.Errorf("without one: %+v", l)
	}
}

func TestTheLeastShareOfProcessorsCounts(t *testing.T) {
	for want, files := range map[float64]map[string]string{
		1.5: {own2: "0::/a/b\n", mountinfo: v2Mount, "sys/fs/cgroup/a/b/cpu.max": "400000 100000\n", "sys/fs/cgroup/a/cpu.max": "150000 100000\n"},
		0.5: {
			own2: "1:cpu,cpuacct:/a\n", mountinfo: "35 31 0:32 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n",
			"sys/fs/cgroup/cpu/a/cpu.cfs_quota_us": "50000\n", "sys/fs/cgroup/cpu/a/cpu.cfs_period_us": "100000\n", "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
		},
		0: {own2: "0::/a\n", mountinfo: v2Mount, "sys/fs/cgroup/a/cpu.max": "max 100000\n"},
	} {
		if got := read(machine(t, files)).Quota; got != want {
			t.Errorf("%v cores, want %v", got, want)
		}
	}
}

func TestALimitSaysWhatItIs(t *testing.T) {
	for want, l := range map[string]Limit{
		"the machine":                                {Kind: Machine},
		"the control group (/x/memory.max)":          {Kind: ControlGroup, Source: "/x/memory.max"},
		"GOMEMLIMIT":                                 {Kind: GoLimit, Source: GoLimit},
		"the resource limit RLIMIT_AS (ulimit -v)":   {Kind: AddressSpace, Source: AddressSpace},
		"the resource limit RLIMIT_DATA (ulimit -d)": {Kind: DataSegment, Source: DataSegment},
	} {
		if l.String() != want {
			t.Errorf("%q, want %q", l, want)
		}
	}
}

func TestATreeStandsForTheMachine(t *testing.T) {
	restore := UseTree(string(machine(t, map[string]string{"proc/meminfo": "MemTotal: 7 kB\nMemAvailable: 5 kB\n"})))
	if got := Read().Available(); got != 5<<10 {
		t.Errorf("%d bytes", got)
	}
	restore()
	if got := Read(); got.MemoryTotal == 7<<10 {
		t.Errorf("after restoring: %+v", got)
	}
}
