//go:build mpi && linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// hosts are network namespaces h1, h2 ... of a test, joined by a bridge in one more, with names and
// addresses of their own. They share files and processors.
type hosts struct {
	prefix string
	n      int
	agent  string // starts a command on a host, as ssh would
}

// newHosts makes hosts whose cables carry 1 Gb/s, by token buckets. It skips the test where that is
// not possible.
func newHosts(t *testing.T, n int) *hosts {
	t.Helper()
	for _, tool := range []string{"ip", "tc", "unshare", "hostname"} {
		if _, err := exec.LookPath(tool); err != nil || os.Getuid() != 0 {
			t.Skipf("hosts need root and the commands ip, tc, unshare and hostname (%v)", err)
		}
	}
	h := &hosts{prefix: fmt.Sprintf("rn%d-", os.Getpid()%100_000), n: n, agent: filepath.Join(t.TempDir(), "agent.sh")}
	t.Cleanup(func() {
		for _, name := range append(h.names(), "sw") {
			_ = exec.Command("ip", "netns", "del", h.prefix+name).Run()
		}
	})
	var lines []string
	add := func(format string, args ...any) {
		lines = append(lines, strings.ReplaceAll(fmt.Sprintf(format, args...), "@", h.prefix))
	}
	add("ip netns add @sw\nip -n @sw link add br0 type bridge\nip -n @sw link set br0 up")
	for i, name := range h.names() {
		add("ip netns add @%s\nip -n @%[1]s link set lo up", name)
		add("ip link add p%d netns @sw type veth peer name eth0 netns @%s", i+1, name)
		add("ip -n @sw link set p%d master br0\nip -n @sw link set p%[1]d up", i+1)
		add("ip -n @%s addr add 10.9.0.%d/24 dev eth0\nip -n @%[1]s link set eth0 up", name, i+1)
		add("ip netns exec @%s tc qdisc add dev eth0 root tbf rate 1gbit burst 256kb latency 50ms", name)
		add("ip netns exec @sw tc qdisc add dev p%d root tbf rate 1gbit burst 256kb latency 50ms", i+1)
	}
	if out, err := exec.Command("sh", "-ec", strings.Join(lines, "\n")).CombinedOutput(); err != nil {
		t.Skipf("no hosts can be made here: %v: %s", err, out)
	}
	script := fmt.Sprintf("#!/bin/sh\nwhile [ \"${1#-}\" != \"$1\" ]; do shift; done\nhost=h${1##*.}; shift\nexec ip netns exec %s$host unshare -u sh -c \"hostname $host; $*\"\n", h.prefix)
	if err := os.WriteFile(h.agent, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *hosts) names() (names []string) {
	for i := range h.n {
		names = append(names, fmt.Sprint("h", i+1))
	}
	return names
}

// cable takes a host's cable out of the bridge ("down"), or puts it back ("up").
func (h *hosts) cable(t *testing.T, host int, how string) {
	t.Helper()
	if out, err := exec.Command("ip", "-n", h.prefix+"sw", "link", "set", fmt.Sprint("p", host), how).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// job is a command of one rank on each of the hosts from the first one given on; the launcher runs
// on h1.
func (h *hosts) job(l mpiLauncher, dir string, first int, command ...string) *job {
	var addresses []string
	for i := first; i <= h.n; i++ {
		addresses = append(addresses, fmt.Sprint("10.9.0.", i))
	}
	list := strings.Join(addresses, ",")
	start := []string{"ip", "netns", "exec", h.prefix + "h1", "unshare", "-u", "sh", "-c", `hostname h1; exec "$@"`, "sh", l.path}
	var env []string
	prefix := filepath.Dir(filepath.Dir(l.path))
	switch {
	case l.name == "openmpi5":
		start = append(start, "--prefix", prefix, "--prtemca", "plm_ssh_agent", h.agent, "--prtemca", "prte_if_include", "10.9.0.0/24", "-x", "LD_LIBRARY_PATH")
	case l.isOpenMPI():
		start = append(start, "--mca", "plm_rsh_agent", h.agent, "--mca", "oob_tcp_if_include", "10.9.0.0/24")
	}
	if l.isOpenMPI() {
		start = append(start, "--host", list, "--bind-to", "none",
			"--mca", "pml", "ob1", "--mca", "btl", "tcp,self", "--mca", "btl_tcp_if_include", "10.9.0.0/24", "--mca", "mpi_yield_when_idle", "1")
	} else {
		start = append(start, "-launcher", "ssh", "-launcher-exec", h.agent, "-iface", "eth0", "-hosts", list)
		env = []string{"FI_PROVIDER=tcp", "UCX_TLS=tcp"} // these hosts share memory, too
	}
	if first > 1 && l.name == "openmpi" { // or mpirun waits for minutes: no rank beside it ends it
		start = append(start, "--mca", "oob_tcp_keepalive_time", "1", "--mca", "oob_tcp_keepalive_intvl", "1", "--mca", "oob_tcp_keepalive_probes", "1")
	}
	start = append(start, "-n", fmt.Sprint(len(addresses)))
	return (*mpiLauncher)(nil).job(dir, 1, append(env, l.env...), append(start, command...)...)
}

// ranksLeft counts the processes of a binary.
func ranksLeft(binary string) (n int) {
	all, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, p := range all {
		if exe, _ := os.Readlink(p); exe == binary {
			n++
		}
	}
	return n
}

// hostLaunchers are those that end on hosts: Open MPI's. The test is skipped where there is none.
func hostLaunchers(t *testing.T) []mpiLauncher {
	t.Helper()
	all := slices.DeleteFunc(launchers(t), func(l mpiLauncher) bool { return !l.isOpenMPI() })
	if len(all) == 0 {
		t.Skip("no Open MPI; MPI_Finalize of MPICH 4.0.2 does not return on such hosts")
	}
	return all
}

// TestMPIFourHosts: the same bits over a network, and when a cable is cut, the rank behind it is
// named and all processes end, the launcher's too, whose host may be the one that is cut off, or
// have no rank.
func TestMPIFourHosts(t *testing.T) {
	all := hostLaunchers(t)
	h := newHosts(t, 4)
	binary := mpiBinary(t, "mpi")
	dir := mpiFolder(t, 8, 12)
	if one := (*mpiLauncher)(nil).job(dir, 1, nil, binary, "train", "--config", "c.yaml", "--run", "one", "--threads", "1"); one.run(t) != 0 {
		t.Fatal(one.said.String())
	}
	for _, l := range all {
		j := h.job(l, dir, 1, binary, "train", "--config", "c.yaml", "--run", l.name, "--threads", "1")
		if status := j.run(t); status != 0 || !strings.Contains(j.said.String(), "rank 0 on h1, rank 1 on h2, rank 2 on h3, rank 3 on h4") {
			t.Fatalf("status %d:\n%s", status, j.said.String())
		}
		sameFiles(t, dir, "one", l.name)
		for _, c := range []struct {
			first, cut int
			want       string
		}{
			{1, 3, `rank 2 of 4 on h3: no answer for 3s \(distributed.timeout\)`},
			{1, 1, `rank [123] of 4 on h[234], .*: no answer to rank 0 of 4 on h1 for 3s \(distributed.timeout\)`},
			{3, 4, `rank 1 of 2 on h4: no answer for 3s \(distributed.timeout\)|lost communication with a remote daemon(.*\n)*.* 10.9.0.4`},
		} {
			t.Run(fmt.Sprintf("%s/h%d cut, ranks from h%d on", l.name, c.cut, c.first), func(t *testing.T) {
				if c.first > 1 && l.name == "openmpi5" {
					t.Skip("its launcher waits for good, or with keepalives ends with status 0")
				}
				dir := mpiFolder(t, 8, 100_000)
				j := h.job(l, dir, c.first, binary, "train", "--config", "c.yaml", "--run", "x", "--threads", "1", "--set", "distributed.timeout=3", "--set", "train.checkpoint.every=20")
				if err := j.Start(); err != nil {
					t.Fatal(err)
				}
				waitForStep(t, dir, "x", 20)
				begun := time.Now()
				h.cable(t, c.cut, "down")
				defer h.cable(t, c.cut, "up")
				status := j.end(t, time.Minute)
				took, said := time.Since(begun), j.said.String()
				// The timeout, three seconds of the ranks among each other, five for the launcher.
				// Open MPI 4.1's crashes now and then while it ends, and loses what others said.
				if strings.Contains(said, "mca_ess_hnp") {
					t.Logf("the launcher crashed:\n%s", said)
				} else if status == 0 || took > 20*time.Second || !regexp.MustCompile(c.want).MatchString(said) {
					t.Errorf("status %d after %v:\n%s", status, took, said)
				}
				t.Logf("status %d after %v", status, took)
				for range 200 { // those that are cut off end by themselves
					if ranksLeft(binary) == 0 {
						break
					}
					time.Sleep(100 * time.Millisecond)
				}
				if n := ranksLeft(binary); n > 0 {
					t.Errorf("%d ranks are left", n)
				}
			})
		}
	}
}

// TestMPISumsUseBothDirectionsOfACable: two hosts send and receive at once, for which 1 Gb/s is
// enough, and not one after the other, which is half of it.
func TestMPISumsUseBothDirectionsOfACable(t *testing.T) {
	all := hostLaunchers(t)
	h := newHosts(t, 2)
	binary := mpiBinary(t, "mpi")
	for _, l := range all {
		var best float64
		for range 3 { // a busy machine is slower, but not always
			j := h.job(l, t.TempDir(), 1, binary, "bench", "allreduce", "--values", "1727962", "--rounds", "9")
			status := j.run(t)
			m := regexp.MustCompile(`(?m)^whole .* (\d+\.\d+)$`).FindStringSubmatch(j.said.String())
			if status != 0 || m == nil {
				t.Fatalf("status %d:\n%s", status, j.said.String())
			}
			gigabits, err := strconv.ParseFloat(m[1], 64)
			if err != nil {
				t.Fatal(err)
			}
			if best = max(best, gigabits); best > 0.7 {
				break
			}
		}
		if best <= 0.7 {
			t.Errorf("%s: %v of 1 Gb/s", l.name, best)
		}
	}
}

// TestMPISumsAreTimed runs the measurement of sums, which checks them.
func TestMPISumsAreTimed(t *testing.T) {
	binary, static := mpiBinary(t, "mpi"), mpiBinary(t, "")
	for _, l := range launchers(t) {
		j := l.job(t.TempDir(), 2, nil, binary, "bench", "allreduce", "--values", "100001", "--rounds", "3", "--update", "50ms")
		if status := j.run(t); status != 0 || strings.Count(j.said.String(), "sums of 100,001 values") != 1 || !regexp.MustCompile(`(?m)^64 +100 +\d`).MatchString(j.said.String()) {
			t.Errorf("%s: status %d:\n%s", l.name, status, j.said.String())
		}
		j = l.job(t.TempDir(), 2, nil, static, "bench", "allreduce")
		if status := j.run(t); status != 2 || !strings.Contains(j.said.String(), "start resnet-mpi") {
			t.Errorf("%s: status %d:\n%s", l.name, status, j.said.String())
		}
	}
	j := (*mpiLauncher)(nil).job(t.TempDir(), 1, nil, binary, "bench", "allreduce")
	if status := j.run(t); status != 2 || !strings.Contains(j.said.String(), "one process has nobody to sum with: mpirun -n 2") {
		t.Errorf("status %d:\n%s", status, j.said.String())
	}
}
