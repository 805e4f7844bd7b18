//go:build mpi && linux

package mpi

import (
	"bytes"
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

// endLauncher ends the process $1 if it is still there and has the name $2: after $3 seconds with
// SIGTERM, after $4 more with SIGKILL.
const endLauncher = `sleep $3
for s in TERM KILL; do
	read -r name < /proc/$1/comm && [ "$name" = "$2" ] || exit 0
	kill -$s $1
	sleep $4
done`

// orphan starts what ends the launcher's process above this one, in case that the launcher waits
// for a machine that does not answer any more: Open MPI's does so for minutes. It is a process and
// a session of its own, since this one is about to be killed.
func orphan() {
	pid, name := launcherAbove("/proc", os.Getpid())
	if pid == 0 {
		return
	}
	c := exec.Command("/bin/sh", "-c", endLauncher, "sh", strconv.Itoa(pid), name, "5", "2")
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	_ = c.Start() // without it, the launcher ends when it does
}
