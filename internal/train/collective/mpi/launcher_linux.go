//go:build mpi && linux

package mpi

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// launcherProcesses are the names of the processes with which Open MPI and MPICH start ranks and
// wait for them, as /proc/PID/comm has them. Slurm's are not among them: it ends its jobs itself.
var launcherProcesses = []string{"mpirun", "mpirun.openmpi", "orterun", "orted", "prterun", "prte", "prted", "mpiexec", "mpiexec.openmpi", "mpirun.mpich", "mpiexec.hydra", "mpiexec.mpich", "hydra_pmi_proxy"}

// launcherAbove is the nearest process above this one that belongs to the launcher, and its name.
func launcherAbove(proc string, pid int) (parent int, name string) {
	for range 8 { // scripts and containers may be between
		stat, err := os.ReadFile(filepath.Join(proc, strconv.Itoa(pid), "stat"))
		if err != nil {
			return 0, ""
		}
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:]) // state, parent
		if len(fields) < 2 {
			return 0, ""
		}
		if pid, err = strconv.Atoi(string(fields[1])); err != nil || pid <= 1 {
			return 0, ""
		}
		comm, err := os.ReadFile(filepath.Join(proc, strconv.Itoa(pid), "comm"))
		if err != nil {
			return 0, ""
		}
		if name = strings.TrimSpace(string(comm)); slices.Contains(launcherProcesses, name) {
			return pid, name
		}
	}
	return 0, ""
}

// endLauncher waits for a line, or for the end of the process that would write one. Without the
// line it ends the process $1 if that is still there and has the name $2: after $3 seconds with
// SIGTERM, after $4 more with SIGKILL.
const endLauncher = `read -r word && exit 0
sleep $3
for s in TERM KILL; do
	read -r name < /proc/$1/comm && [ "$name" = "$2" ] || exit 0
	kill -$s $1
	sleep $4
done`

// guard is a process that ends the launcher's process above this one if it is still there five
// seconds after this one has ended without a word. Open MPI's waits for minutes for a machine that
// does not answer any more, and now and then for good, behind the ends of all ranks, when one was
// killed early: in PMIx_server_finalize, seen in version 4.1.4.
type guard struct{ line io.WriteCloser }

// guardLauncher starts a guard, where there is a launcher to be found.
func guardLauncher() *guard {
	pid, name := launcherAbove("/proc", os.Getpid())
	if pid == 0 {
		return nil
	}
	c := exec.Command("/bin/sh", "-c", endLauncher, "sh", strconv.Itoa(pid), name, "5", "2")
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // it outlives this one's process group
	in, err := c.StdinPipe()
	if err != nil || c.Start() != nil {
		return nil // the launcher then ends when it does
	}
	go func() { _ = c.Wait() }()
	return &guard{in}
}

// release says that this process may end, and leaves the launcher alone.
func (g *guard) release() {
	if g != nil {
		_, _ = g.line.Write([]byte("\n")) // nobody to tell where it fails
		_ = g.line.Close()
	}
}
