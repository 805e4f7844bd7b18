package system

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"resnet/internal/input"
)

// mount is a place where a hierarchy of control groups is seen.
type mount struct {
	unified     bool // version 2
	root        string
	point       string
	controllers []string // version 1
}

// usualMounts are where control groups are when /proc does not say.
var usualMounts = []mount{
	{true, "/", "/sys/fs/cgroup", nil},
	{false, "/", "/sys/fs/cgroup/memory", []string{"memory"}},
	{false, "/", "/sys/fs/cgroup/cpu", []string{"cpu"}},
}

// mounts reads /proc/self/mountinfo: "id parent major:minor root point options [tags] - type source
// super-options".
func (f files) mounts() []mount {
	text, err := f.read("/proc/self/mountinfo")
	if err != nil {
		return usualMounts
	}
	var list []mount
	for line := range strings.Lines(text) {
		before, after, ok := strings.Cut(line, " - ")
		left, right := strings.Fields(before), strings.Fields(after)
		if !ok || len(left) < 6 || len(right) < 3 {
			continue
		}
		m := mount{unified: right[0] == "cgroup2", root: unescape(left[3]), point: unescape(left[4]), controllers: strings.Split(right[2], ",")}
		if m.unified || right[0] == "cgroup" {
			list = append(list, m)
		}
	}
	return list
}

// unescape undoes mountinfo's octal form of spaces and the like.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// groups are the folders of the process's own control group and of those above it that are to be
// seen here, the innermost first. v1 names the controller of version 1; unified says which version
// a folder is of.
func (f files) groups(v1 string, each func(dir string, unified bool)) {
	paths := f.ownGroups()
	for _, m := range f.mounts() {
		var own string
		var ok bool
		if m.unified {
			own, ok = paths[""]
		} else if slices.Contains(m.controllers, v1) {
			own, ok = paths[v1]
		} else {
			continue
		}
		dir := m.point
		// A path that does not lie below the mount's root is of another namespace: the mount point
		// is then all that is known.
		if below, inside := strings.CutPrefix(own+"/", strings.TrimSuffix(m.root, "/")+"/"); ok && inside && !strings.Contains(own, "/..") {
			dir = filepath.Join(m.point, below)
		}
		for {
			if f.isDir(dir) {
				each(dir, m.unified)
			}
			if dir == m.point || len(dir) <= 1 {
				break
			}
			dir = filepath.Dir(dir)
		}
	}
}

// ownGroups reads /proc/self/cgroup, lines of "id:controllers:path": the path of each controller,
// that of version 2 under "".
func (f files) ownGroups() map[string]string {
	paths := map[string]string{}
	text, _ := f.read("/proc/self/cgroup")
	for line := range strings.Lines(text) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(parts) < 3 {
			continue
		}
		for _, c := range strings.Split(parts[1], ",") {
			paths[c] = parts[2]
		}
	}
	return paths
}

// quota is the least of the cores that the process's control groups allow; 0 means no limit.
func (f files) quota() float64 {
	least := 0.
	f.groups("cpu", func(dir string, unified bool) {
		var q, p string
		if unified {
			text, _ := f.read(dir + "/cpu.max")
			if parts := strings.Fields(text); len(parts) == 2 {
				q, p = parts[0], parts[1]
			}
		} else {
			q, _ = f.read(dir + "/cpu.cfs_quota_us")
			p, _ = f.read(dir + "/cpu.cfs_period_us")
		}
		if r := ratio(strings.TrimSpace(q), strings.TrimSpace(p)); r > 0 && (least == 0 || r < least) {
			least = r
		}
	})
	return least
}

func ratio(a, b string) float64 {
	x, err1 := strconv.ParseFloat(a, 64)
	y, err2 := strconv.ParseFloat(b, 64)
	if err1 != nil || err2 != nil || !(x > 0 && y > 0) || math.IsInf(x/y, 0) { // "max", or -1
		return 0
	}
	return x / y
}

// memoryGroups are the limits of the process's control groups.
func (f files) memoryGroups() (list []Limit) {
	f.groups("memory", func(dir string, unified bool) {
		current, reclaimable, names := "memory.usage_in_bytes", "total_inactive_file", []string{"memory.limit_in_bytes"}
		if unified {
			current, reclaimable, names = "memory.current", "inactive_file", []string{"memory.max", "memory.high"}
		}
		used, _ := f.number(dir + "/" + current)
		stat := f.table(dir + "/memory.stat")
		if n, ok := stat[reclaimable]; ok { // files that are read anew when their memory is wanted
			used -= min(n, used)
		}
		add := func(bytes int64, file string) {
			list = append(list, Limit{Kind: ControlGroup, Source: file, Bytes: bytes, Used: used})
		}
		for _, name := range names {
			if n, ok := f.number(dir + "/" + name); ok {
				add(n, dir+"/"+name)
			}
		}
		// Version 1 knows here what groups allow that cannot be seen from inside a container.
		if n, ok := stat["hierarchical_memory_limit"]; ok && !unified {
			add(n, dir+"/memory.stat")
		}
	})
	return list
}

// files is a tree of a system's files.
type files string

// maxFile is above the size of any file that describes a machine, in bytes.
const maxFile = 16 << 20

func (f files) read(path string) (string, error) {
	data, err := input.Read(filepath.Join(string(f), path), maxFile)
	return string(data), err
}

func (f files) isDir(path string) bool {
	info, err := os.Stat(filepath.Join(string(f), path))
	return err == nil && info.IsDir()
}

// number reads a file of one number of bytes; "max", and version 1's largest multiple of a page,
// are none.
func (f files) number(path string) (int64, bool) {
	text, err := f.read(path)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	return n, err == nil && n >= 0 && n < unlimited
}

// unlimited and more is how systems write that there is no limit.
const unlimited = 1 << 60

// table reads lines of "name number".
func (f files) table(path string) map[string]int64 {
	text, _ := f.read(path)
	values := map[string]int64{}
	for line := range strings.Lines(text) {
		if parts := strings.Fields(line); len(parts) == 2 {
			if n, err := strconv.ParseInt(parts[1], 10, 64); err == nil && n >= 0 && n < unlimited {
				values[parts[0]] = n
			}
		}
	}
	return values
}
