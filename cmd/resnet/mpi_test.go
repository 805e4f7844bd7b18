//go:build mpi && linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"resnet/internal/graph/kernel"
)

// mpiLauncher is a way to start several processes.
type mpiLauncher struct {
	name string
	path string
	args []string
	env  []string
}

// isOpenMPI is of a launcher that is not MPICH's.
func (l *mpiLauncher) isOpenMPI() bool { return strings.HasPrefix(l.name, "openmpi") }

// launchers are those of this machine. MPI_LAUNCHERS names others, such as
// "openmpi5=/opt/openmpi/bin/mpirun mpich5=/opt/mpich/bin/mpirun", with their libraries in ../lib.
func launchers(t *testing.T) (found []mpiLauncher) {
	t.Helper()
	all := []mpiLauncher{{name: "openmpi", path: "mpirun.openmpi"}, {name: "mpich", path: "mpirun.mpich"}}
	if list := os.Getenv("MPI_LAUNCHERS"); list != "" {
		all = nil
		for entry := range strings.FieldsSeq(list) {
			name, path, _ := strings.Cut(entry, "=")
			lib := filepath.Join(filepath.Dir(filepath.Dir(path)), "lib")
			all = append(all, mpiLauncher{name: name, path: path, env: []string{"LD_LIBRARY_PATH=" + lib}})
		}
	}
	for _, l := range all {
		if l.isOpenMPI() {
			l.args = []string{"--bind-to", "none", "--oversubscribe", "--mca", "mpi_yield_when_idle", "1"}
		}
		if path, err := exec.LookPath(l.path); err == nil {
			l.path = path
			found = append(found, l)
		}
	}
	if len(found) == 0 {
		t.Skip("neither mpirun.openmpi nor mpirun.mpich is installed")
	}
	return found
}

// mpiPictures writes a folder of small images of two classes.
func mpiPictures(t *testing.T, dir, name string, perClass int) {
	t.Helper()
	for k := range 2 * perClass {
		folder := filepath.Join(dir, name, fmt.Sprint("class", k%2))
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		m := image.NewGray(image.Rect(0, 0, 16, 16))
		for i := range m.Pix {
			m.Pix[i] = uint8(i * k)
		}
		var b bytes.Buffer
		if err := png.Encode(&b, m); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprint(k, ".png")), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// mpiBinary builds the command with or without MPI. It stays in bin, where the next test finds it.
func mpiBinary(t *testing.T, tags string, flags ...string) string {
	t.Helper()
	binary, err := filepath.Abs(filepath.Join("../../bin/mpi", fmt.Sprint("resnet", tags, len(flags))))
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command("go", append(append([]string{"build", "-tags", tags}, flags...), "-o", binary, ".")...)
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return binary
}

// job is a command of several processes, or of one without a launcher.
type job struct {
	*exec.Cmd
	said bytes.Buffer
}

func (l *mpiLauncher) job(dir string, n int, env []string, command ...string) *job {
	args := command
	if l != nil {
		env = append(env, l.env...)
		args = append(append([]string{l.path, "-n", strconv.Itoa(n)}, l.args...), command...)
	}
	j := &job{Cmd: exec.CommandContext(context.Background(), args[0], args[1:]...)}
	j.Dir, j.Stdout, j.Stderr = dir, &j.said, &j.said
	j.Env = append(append(os.Environ(), "OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"), env...)
	j.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	j.WaitDelay = 10 * time.Second
	return j
}

// end waits for a job, ends it after a limit, and returns its status.
func (j *job) end(t *testing.T, limit time.Duration) int {
	t.Helper()
	late := time.AfterFunc(limit, func() { _ = syscall.Kill(-j.Process.Pid, syscall.SIGKILL) })
	defer late.Stop()
	_ = j.Wait() // the status says how
	if !late.Stop() {
		t.Fatalf("%v did not end within %v:\n%s", j.Args, limit, j.said.String())
	}
	return j.ProcessState.ExitCode()
}

func (j *job) run(t *testing.T) int {
	t.Helper()
	if err := j.Start(); err != nil {
		t.Fatal(err)
	}
	return j.end(t, 3*time.Minute)
}

// mpiConfig is a small network on embedded images: an evaluation every 6 updates, whose last batch
// is not full.
const mpiConfig = `model: {family: cifar, depth: %d, residual: true}
data: {name: fashion-sample, downsample: 2, validation: 210, augment: {pad: 1, flip: true}}
train: {batch: 32, accumulate: 4, iterations: %d, schedule: {rate: 0.05}, checkpoint: {every: 6, keep: 0}}
eval: {every: 6, batch: 64}
`

// mpiFolder is a folder with a configuration.
func mpiFolder(t *testing.T, depth, iterations int) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "c.yaml"), fmt.Appendf(nil, mpiConfig, depth, iterations), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// sameFiles compares the reproducible files of two runs in a folder.
func sameFiles(t *testing.T, dir, want, got string) {
	t.Helper()
	names, _ := filepath.Glob(filepath.Join(dir, want, "checkpoints", "*.safetensors"))
	if len(names) < 2 {
		t.Fatalf("%s has %v", want, names)
	}
	for _, name := range append(names, filepath.Join(dir, want, "metrics.csv")) {
		rel, _ := filepath.Rel(filepath.Join(dir, want), name)
		a, errA := os.ReadFile(name)
		b, errB := os.ReadFile(filepath.Join(dir, got, rel))
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("%s of %s differs from that of %s (%v, %v)", rel, got, want, errA, errB)
		}
	}
}

// TestMPIRanksWriteTheBytesOfOneProcess trains with each of this processor's two best instruction
// sets, AVX-512 and AVX2 where it has them, in all the ways that there are, and compares the
// checkpoints of every sixth update.
func TestMPIRanksWriteTheBytesOfOneProcess(t *testing.T) {
	all, sets := launchers(t), kernel.Available()
	binary := mpiBinary(t, "mpi")
	for i, cpu := range sets[:min(2, len(sets))] {
		dir := mpiFolder(t, 20, []int{40, 12}[i])
		same := func(l *mpiLauncher, n int, run string, more ...string) {
			t.Helper()
			j := l.job(dir, n, []string{"RESNET_CPU=" + cpu}, append([]string{binary, "train", "--config", "c.yaml", "--run", run}, more...)...)
			if status := j.run(t); status != 0 {
				t.Fatalf("%v: status %d:\n%s", j.Args, status, j.said.String())
			}
			sameFiles(t, dir, "one", run)
		}
		same(nil, 1, "one")
		// What env.json says of the kernels: the variable was heeded.
		if env, err := os.ReadFile(filepath.Join(dir, "one", "env.json")); err != nil || !bytes.Contains(env, []byte(`"`+cpu+`"`)) {
			t.Fatalf("%s: %v: %s", cpu, err, env)
		}
		for _, workers := range []string{"2", "4"} {
			same(nil, 1, "workers"+workers, "--workers", workers)
		}
		for _, l := range all {
			for _, n := range []int{1, 2, 4} {
				same(&l, n, fmt.Sprint(l.name, n), "--threads", "1")
			}
		}
		same(&all[0], 2, "both", "--threads", "2", "--workers", "2")
	}
}

// TestMPIMistakesEndWithAMessage: what all ranks find is said once; what differs names the rank.
func TestMPIMistakesEndWithAMessage(t *testing.T) {
	dir := mpiFolder(t, 8, 6)
	binary, static, older := mpiBinary(t, "mpi"), mpiBinary(t, ""), mpiBinary(t, "mpi", "-ldflags", "-X main.version=v0.1")
	mpiPictures(t, dir, "pictures", 8)
	mpiPictures(t, dir, "other/pictures", 9)
	for _, l := range launchers(t) {
		odd := filepath.Join(dir, "odd.sh") // rank 1 does $ODD before the command
		script := "#!/bin/sh\nif [ \"${OMPI_COMM_WORLD_RANK:-$PMI_RANK}\" = 1 ]; then eval \"$ODD\"; fi\nexec \"$@\"\n"
		if err := os.WriteFile(odd, []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
		pictures := []string{"--set", "data.name=folder", "--set", "data.dir=pictures", "--set", "data.size=16", "--set", "data.downsample=1", "--set", "data.test=4", "--set", "data.validation=0", "--set", "train.batch=2"}
		foreign := "libmpich.so.12"
		if !l.isOpenMPI() {
			foreign = "libmpi.so.40"
		}
		for _, c := range []struct {
			name    string
			n       int
			env     []string
			command []string
			status  int
			want    string
		}{
			{"static", 2, nil, []string{static, "train", "--config", "c.yaml", "--run", "x"}, 2, `has started 2 processes, and this binary knows no MPI: start resnet-mpi`},
			{"other command", 2, nil, []string{binary, "eval", "x"}, 2, `which would all do the same`},
			{"three", 3, nil, []string{binary, "train", "--config", "c.yaml", "--run", "x"}, 2, `3 ranks: 3 workers cannot share an update of 4 micro-batches \(train.accumulate\): 1, 2, 4 can`},
			{"no file", 2, nil, []string{binary, "train", "--config", "none.yaml", "--run", "x"}, 2, `resnet: none.yaml: no such file`},
			{"dry run", 2, nil, []string{binary, "train", "--config", "c.yaml", "--dry-run"}, 2, `are for one process`},
			{"no library", 2, []string{"RESNET_MPI_LIB=/none/libmpi.so"}, []string{binary, "train", "--config", "c.yaml", "--run", "x"}, 2, `RESNET_MPI_LIB=/none/libmpi.so`},
			{"foreign library", 2, []string{"RESNET_MPI_LIB=" + foreign}, []string{binary, "train", "--config", "c.yaml", "--run", "x"}, 2, `belongs to another launcher|cannot open shared object|MPI_Init|orte|PMI`},
			{"other seed", 2, []string{"ODD=export RESNET_TRAIN_SEED=7"}, []string{odd, binary, "train", "--config", "c.yaml", "--run", "x"}, 2, `rank 1 of 2 on \S+ has train.seed=7, the others 1`},
			{"other kernels", 2, []string{"ODD=export RESNET_CPU=generic"}, []string{odd, binary, "train", "--config", "c.yaml", "--run", "x"}, 2, `rank 1 of 2 on \S+ has generic kernels, the others avx`},
			{"other version", 2, []string{"ODD=shift; set -- " + older + ` "$@"`}, []string{odd, binary, "train", "--config", "c.yaml", "--run", "x"}, 2, `rank 1 of 2 on \S+ is version v0.1, the others `},
			{"other files", 2, []string{"ODD=cd other"}, append([]string{odd, binary, "train", "--config", filepath.Join(dir, "c.yaml"), "--run", filepath.Join(dir, "x")}, pictures...), 2, `rank 1 of 2 on \S+ has other data files than the others`},
			{"missing files", 2, []string{"ODD=cd /"}, append([]string{odd, binary, "train", "--config", filepath.Join(dir, "c.yaml"), "--run", filepath.Join(dir, "x")}, pictures...), 66, `rank 1 of 2 on \S+: .*pictures`},
			{"other data", 2, []string{"ODD=export RESNET_DATA_LIMIT=64"}, []string{odd, binary, "train", "--config", "c.yaml", "--run", "x"}, 2, `rank 1 of 2 on \S+ has data.limit=64`},
		} {
			t.Run(l.name+"/"+c.name, func(t *testing.T) {
				j := l.job(dir, c.n, c.env, c.command...)
				begun := time.Now()
				status := j.run(t)
				said := j.said.String()
				if status != c.status && c.name != "foreign library" || status == 0 || !regexp.MustCompile(c.want).MatchString(said) {
					t.Errorf("status %d:\n%s", status, said)
				}
				if n := len(regexp.MustCompile(c.want).FindAllString(said, -1)); n > 1 && c.name != "foreign library" {
					t.Errorf("said %d times:\n%s", n, said)
				}
				if took := time.Since(begun); took > 30*time.Second {
					t.Errorf("it took %v", took)
				}
				if _, err := os.Stat(filepath.Join(dir, "x")); err == nil {
					t.Error("a run folder was left")
				}
			})
		}
	}
}

// children are the processes below one, of the binary under test.
func children(t *testing.T, parent int, binary string) (pids []int) {
	t.Helper()
	all, _ := filepath.Glob("/proc/[0-9]*")
	above := map[int]int{}
	isOurs := map[int]bool{}
	for _, p := range all {
		pid, _ := strconv.Atoi(filepath.Base(p))
		stat, err := os.ReadFile(filepath.Join(p, "stat"))
		if err != nil {
			continue
		}
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		above[pid], _ = strconv.Atoi(fields[1])
		exe, _ := os.Readlink(filepath.Join(p, "exe"))
		isOurs[pid] = exe == binary
	}
	for pid := range above {
		for up := pid; up > 1 && isOurs[pid]; up = above[up] {
			if up == parent {
				pids = append(pids, pid)
				break
			}
		}
	}
	return pids
}

// rankOf is the rank that the launcher has given a process.
func rankOf(pid int) string {
	env, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if m := regexp.MustCompile(`\x00(?:OMPI_COMM_WORLD_RANK|PMI_RANK)=(\d+)`).FindSubmatch(env); m != nil {
		return string(m[1])
	}
	return "none"
}

// waitForStep waits until a run has a checkpoint of a step.
func waitForStep(t *testing.T, dir, run string, step int) {
	t.Helper()
	for range 12_000 {
		if _, err := os.Stat(filepath.Join(dir, run, "checkpoints", fmt.Sprintf("step-%06d.json", step))); err == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s has no checkpoint of step %d", run, step)
}

// lastStep is the step of the last checkpoint, or 0.
func lastStep(t *testing.T, dir, run string) (step int) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, run, "checkpoints", "step-*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(filepath.Base(name), "step-"), ".json"))
		if err != nil {
			t.Fatal(err)
		}
		step = max(step, n)
	}
	return step
}

// TestMPIKilledRanksCostNothingButTime kills a random rank at a random moment, five times, starting
// again each time with another number of ranks.
func TestMPIKilledRanksCostNothingButTime(t *testing.T) {
	const updates = 240
	all := launchers(t)
	binary := mpiBinary(t, "mpi")
	dir := mpiFolder(t, 8, updates)
	one := (*mpiLauncher)(nil).job(dir, 1, nil, binary, "train", "--config", "c.yaml", "--run", "one", "--threads", "1")
	if status := one.run(t); status != 0 {
		t.Fatalf("status %d:\n%s", status, one.said.String())
	}
	for _, l := range all {
		run := "killed-" + l.name
		for k, n := range []int{4, 2, 4, 2, 4} {
			last := lastStep(t, dir, run) / 6 * 6
			j := l.job(dir, n, nil, binary, "train", "--config", "c.yaml", "--start-or-resume", run, "--threads", "1")
			if err := j.Start(); err != nil {
				t.Fatal(err)
			}
			// Before all have joined a death is the launcher's to notice, and Open MPI's may not.
			waitForStep(t, dir, run, last+6)
			time.Sleep(time.Duration(rand.IntN(400)) * time.Millisecond)
			pids := children(t, j.Process.Pid, binary)
			if len(pids) == 0 {
				j.end(t, time.Minute)
				t.Logf("%s had ended before kill %d", run, k)
				continue
			}
			begun, victim := time.Now(), pids[rand.IntN(len(pids))]
			rank := rankOf(victim)
			if err := syscall.Kill(victim, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			status := j.end(t, time.Minute)
			// The launcher alone knows who it was where ranks have not joined yet; MPICH's kills
			// the others at once, often before one can say it, and has a process and a host.
			named := fmt.Sprintf(`rank %s of %d on \S+: its process has ended without a word|process rank %[1]s with PID \d+ on node|PID \d+ RUNNING AT`, rank, n)
			if took := time.Since(begun); status == 0 || took > 10*time.Second || !regexp.MustCompile(named).MatchString(j.said.String()) {
				t.Errorf("%s, rank %s of %d: status %d after %v:\n%s", l.name, rank, n, status, took, j.said.String())
			}
		}
		j := l.job(dir, 1, nil, binary, "train", "--resume", run, "--threads", "1")
		if status := j.run(t); status != 0 {
			t.Fatalf("status %d:\n%s", status, j.said.String())
		}
		sameFiles(t, dir, "one", run)
	}
}

// TestMPIALauncherThatHangsBehindItsRanksIsEnded: as Open MPI's now and then does when a rank was
// killed in MPI_Init. A stopped one does not come to its end either.
func TestMPIALauncherThatHangsBehindItsRanksIsEnded(t *testing.T) {
	binary := mpiBinary(t, "mpi")
	for _, l := range launchers(t) {
		if !l.isOpenMPI() {
			continue // another process of the launcher is above the ranks
		}
		j := l.job(t.TempDir(), 2, nil, binary, "bench", "allreduce", "--values", "1000")
		if err := j.Start(); err != nil {
			t.Fatal(err)
		}
		ranks := map[string]bool{}
		for range 3000 {
			for _, pid := range children(t, j.Process.Pid, binary) {
				ranks[rankOf(pid)] = true
			}
			if ranks["0"] && ranks["1"] {
				break
			}
			time.Sleep(time.Millisecond)
		}
		_ = syscall.Kill(j.Process.Pid, syscall.SIGSTOP) // without it the ranks stay in MPI_Init
		if !ranks["0"] || !ranks["1"] {
			t.Fatalf("%s: ranks %v", l.name, ranks)
		}
		time.Sleep(300 * time.Millisecond)
		begun := time.Now()
		for _, pid := range children(t, j.Process.Pid, binary) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		status := j.end(t, time.Minute)
		if took := time.Since(begun); status == 0 || took < 5*time.Second || took > 10*time.Second {
			t.Errorf("%s: status %d after %v:\n%s", l.name, status, took, j.said.String())
		}
	}
}

// TestMPIAHungRankIsNamed stops a rank, as a machine that hangs would.
func TestMPIAHungRankIsNamed(t *testing.T) {
	binary := mpiBinary(t, "mpi")
	for _, l := range launchers(t) {
		for _, hung := range []int{0, 1} {
			dir := mpiFolder(t, 8, 100_000)
			j := l.job(dir, 2, nil, binary, "train", "--config", "c.yaml", "--run", "x", "--threads", "1", "--set", "distributed.timeout=3", "--set", "train.checkpoint.every=50")
			if err := j.Start(); err != nil {
				t.Fatal(err)
			}
			waitForStep(t, dir, "x", 50)
			begun := time.Now()
			stopped := 0
			for _, pid := range children(t, j.Process.Pid, binary) {
				if rankOf(pid) == strconv.Itoa(hung) {
					_ = syscall.Kill(pid, syscall.SIGSTOP)
					stopped++
				}
			}
			status := j.end(t, time.Minute)
			took, said := time.Since(begun), j.said.String()
			// Others than rank 0 wait two seconds more, so that one of them says it. A launcher
			// that takes more than five to end its ranks is ended, and its status is another.
			named := fmt.Sprintf(`rank %d of 2 on \S+: no answer for 3s \(distributed.timeout\): it hangs, or its link is cut\n`, hung)
			if stopped != 1 || status == 0 || status != 75 && took < 9*time.Second || took > 20*time.Second || len(regexp.MustCompile(named).FindAllString(said, -1)) != 1 {
				t.Errorf("%s, rank %d hung: status %d after %v:\n%s", l.name, hung, status, took, said)
			}
			if names, _ := filepath.Glob(filepath.Join(dir, "x", "checkpoints", "*.json")); len(names) == 0 {
				t.Error("no checkpoint is left")
			}
		}
	}
}

// TestMPISignalsAtDifferentMomentsOnDifferentRanks: whoever is asked, all save and stop alike.
func TestMPISignalsAtDifferentMomentsOnDifferentRanks(t *testing.T) {
	const updates = 120
	binary := mpiBinary(t, "mpi")
	dir := mpiFolder(t, 8, updates)
	if one := (*mpiLauncher)(nil).job(dir, 1, nil, binary, "train", "--config", "c.yaml", "--run", "one", "--threads", "1"); one.run(t) != 0 {
		t.Fatal(one.said.String())
	}
	for _, l := range launchers(t) {
		run := "signals-" + l.name
		start := func() *job {
			j := l.job(dir, 4, nil, binary, "train", "--config", "c.yaml", "--start-or-resume", run, "--threads", "1")
			if err := j.Start(); err != nil {
				t.Fatal(err)
			}
			return j
		}
		j := start()
		waitForStep(t, dir, run, 6)
		pids := children(t, j.Process.Pid, binary)
		for i, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGUSR1)
			time.Sleep(time.Duration(10*i) * time.Millisecond)
		}
		waitForStep(t, dir, run, 30)
		_ = syscall.Kill(pids[len(pids)-1], syscall.SIGTERM) // of one rank alone
		begun := time.Now()
		status := j.end(t, time.Minute)
		if took := time.Since(begun); len(pids) != 4 || status == 0 || took > 10*time.Second || !strings.Contains(j.said.String(), "Saved step ") {
			t.Errorf("%s: status %d after %v, %d ranks:\n%s", l.name, status, took, len(pids), j.said.String())
		}
		j = start()
		if status := j.end(t, 2*time.Minute); status != 0 {
			t.Fatalf("%s: status %d:\n%s", l.name, status, j.said.String())
		}
		for _, name := range []string{"metrics.csv", fmt.Sprintf("checkpoints/step-%06d.safetensors", updates), fmt.Sprintf("checkpoints/step-%06d.state.safetensors", updates)} {
			a, _ := os.ReadFile(filepath.Join(dir, "one", name))
			b, _ := os.ReadFile(filepath.Join(dir, run, name))
			if len(a) == 0 || !bytes.Equal(a, b) {
				t.Errorf("%s: %s differs", l.name, name)
			}
		}
	}
}

// TestMPIAFullDiskOfRankZeroEndsAll writes to a file system of a few hundred kilobytes.
func TestMPIAFullDiskOfRankZeroEndsAll(t *testing.T) {
	binary := mpiBinary(t, "mpi")
	for _, l := range launchers(t) {
		dir := mpiFolder(t, 8, 1000)
		small := filepath.Join(dir, "small")
		if err := os.Mkdir(small, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mount("tmpfs", small, "tmpfs", 0, "size=6m"); err != nil {
			t.Skipf("no file system can be mounted: %v", err)
		}
		t.Cleanup(func() { _ = syscall.Unmount(small, 0) })
		j := l.job(dir, 2, nil, binary, "train", "--config", "c.yaml", "--run", filepath.Join(small, "x"), "--threads", "1")
		status := j.run(t)
		if status != 74 || !strings.Contains(j.said.String(), "no space left on device") {
			t.Errorf("%s: status %d:\n%s", l.name, status, j.said.String())
		}
		good := l.job(dir, 1, nil, binary, "eval", filepath.Join(small, "x"))
		if status := good.run(t); status != 0 {
			t.Errorf("%s: the last checkpoint is not whole: status %d:\n%s", l.name, status, good.said.String())
		}
	}
}
