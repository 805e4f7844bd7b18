//go:build linux && (amd64 || arm64)

package atomicfiletest

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// traced is the variable that tells a test that it is the traced process, and its folder.
const traced = "RESNET_TEST_TRACED"

// Trace runs work(dir) in a process of its own, with a new folder dir, and returns the system calls
// by which that process changed files, in order, and the folder. It is to be called once in a test,
// before anything that only the first process should do. A system that forbids ptrace skips the
// test.
func Trace(t *testing.T, work func(dir string)) ([]Call, string) {
	t.Helper()
	if dir := os.Getenv(traced); dir != "" {
		work(dir)
		t.SkipNow() // the rest of the test is for the first process
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return TraceCommand(t, []string{os.Args[0], "-test.run=^" + t.Name() + "$"}, append(os.Environ(), traced+"="+dir)), dir
}

// TraceCommand runs a command line with an environment, in the folder of the test, and returns the
// system calls by which it changed files. A command that fails ends the test.
func TraceCommand(t *testing.T, argv, env []string) []Call {
	t.Helper()
	// The tracer of a process is one thread, and what it waits for are that thread's children.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	out, err := os.Create(filepath.Join(t.TempDir(), "output"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	pid, err := syscall.ForkExec(argv[0], argv, &syscall.ProcAttr{
		Env: env, Files: []uintptr{0, out.Fd(), out.Fd()}, Sys: &syscall.SysProcAttr{Ptrace: true, Pdeathsig: syscall.SIGKILL},
	})
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSYS) {
		t.Skipf("no ptrace here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	tr := &tracer{pending: map[int]Call{}}
	status, err := tr.follow(pid)
	text, _ := os.ReadFile(out.Name())
	if errors.Is(err, syscall.ENOSYS) || errors.Is(err, syscall.EIO) {
		t.Skipf("no PTRACE_GET_SYSCALL_INFO here: %v", err)
	}
	if err != nil || status != 0 {
		t.Fatalf("%q ended with status %d, %v: %s", argv, status, err, text)
	}
	return tr.calls
}

type tracer struct {
	calls   []Call
	pending map[int]Call // by thread: entered, not yet returned from
}

// follow runs a process that stopped after its exec to its end.
func (tr *tracer) follow(pid int) (status int, err error) {
	const options = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACEFORK |
		unix.PTRACE_O_TRACEVFORK | unix.PTRACE_O_EXITKILL
	defer func() {
		if err != nil {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
	}()
	var ws unix.WaitStatus
	if _, err := wait(pid, &ws); err != nil {
		return 0, err
	}
	if err := unix.PtraceSetOptions(pid, options); err != nil {
		return 0, err
	}
	for tid := pid; ; {
		// The signal that the thread stopped for, unless that is the tracing's own.
		signal := 0
		switch {
		case tid == pid && ws.Exited():
			return ws.ExitStatus(), nil
		case tid == pid && ws.Signaled():
			return -1, nil
		case !ws.Stopped():
		case ws.StopSignal() == unix.SIGTRAP|0x80:
			if err := tr.call(tid); err != nil {
				return 0, err
			}
		case ws.StopSignal() != unix.SIGTRAP && ws.StopSignal() != unix.SIGSTOP:
			signal = int(ws.StopSignal())
		}
		if ws.Stopped() {
			// A thread may have ended meanwhile.
			if err := unix.PtraceSyscall(tid, signal); err != nil && !errors.Is(err, unix.ESRCH) {
				return 0, err
			}
		}
		if tid, err = wait(-1, &ws); err != nil {
			return 0, err
		}
	}
}

// wait waits for a child of this thread: those of the process's other threads are not ours.
func wait(pid int, ws *unix.WaitStatus) (int, error) {
	for {
		if tid, err := unix.Wait4(pid, ws, unix.WALL|unix.WNOTHREAD, nil); !errors.Is(err, unix.EINTR) {
			return tid, err
		}
	}
}

// syscallInfo is struct ptrace_syscall_info of Linux, which is the same on every processor.
type syscallInfo struct {
	op     uint8 // 1: enters a call, 2: leaves one
	_      [3]uint8
	_      uint32
	_, _   uint64
	number uint64 // of the call; when it is left: its result
	args   [6]uint64
}

// call is told that a thread enters or leaves a system call.
func (tr *tracer) call(tid int) error {
	var info syscallInfo
	_, _, errno := unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_GET_SYSCALL_INFO, uintptr(tid), unsafe.Sizeof(info), uintptr(unsafe.Pointer(&info)), 0, 0)
	if errors.Is(errno, unix.ESRCH) {
		return nil
	}
	if errno != 0 {
		return errno
	}
	switch info.op {
	case 1:
		if c, ok := enter(tid, info.number, info.args); ok {
			tr.pending[tid] = c
		}
	case 2:
		if c, ok := tr.pending[tid]; ok && int64(info.number) >= 0 {
			tr.calls = append(tr.calls, c)
		}
		delete(tr.pending, tid)
	}
	return nil
}

// enter reads what a call is about to do.
func enter(tid int, number uint64, args [6]uint64) (Call, bool) {
	at := func(dir, name uint64) string { return path(tid, int32(dir), text(tid, name)) }
	switch number {
	case unix.SYS_WRITE, unix.SYS_PWRITE64, unix.SYS_WRITEV:
		return Call{Name: "write", Path: descriptor(tid, int32(args[0]))}, true
	case unix.SYS_COPY_FILE_RANGE: // os.File.ReadFrom
		return Call{Name: "write", Path: descriptor(tid, int32(args[2]))}, true
	case unix.SYS_SENDFILE, unix.SYS_SPLICE:
		to := args[0]
		if number == unix.SYS_SPLICE {
			to = args[2]
		}
		return Call{Name: "write", Path: descriptor(tid, int32(to))}, true
	case unix.SYS_FTRUNCATE:
		return Call{Name: "truncate", Path: descriptor(tid, int32(args[0]))}, true
	case unix.SYS_FSYNC, unix.SYS_FDATASYNC:
		return Call{Name: "fsync", Path: descriptor(tid, int32(args[0]))}, true
	case unix.SYS_RENAMEAT, unix.SYS_RENAMEAT2:
		return Call{Name: "rename", Path: at(args[0], args[1]), To: at(args[2], args[3])}, true
	case unix.SYS_LINKAT:
		return Call{Name: "link", Path: at(args[0], args[1]), To: at(args[2], args[3])}, true
	case unix.SYS_UNLINKAT:
		return Call{Name: "unlink", Path: at(args[0], args[1])}, true
	case unix.SYS_MKDIRAT:
		return Call{Name: "mkdir", Path: at(args[0], args[1])}, true
	}
	return Call{}, false
}

// descriptor is the file that a descriptor of a thread stands for.
func descriptor(tid int, fd int32) string {
	name, _ := os.Readlink("/proc/" + strconv.Itoa(tid) + "/fd/" + strconv.Itoa(int(fd)))
	return name
}

// path is the absolute path of a name in the folder of a descriptor.
func path(tid int, dir int32, name string) string {
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	if dir == unix.AT_FDCWD {
		base, _ := os.Readlink("/proc/" + strconv.Itoa(tid) + "/cwd")
		return filepath.Join(base, name)
	}
	return filepath.Join(descriptor(tid, dir), name)
}

// text reads a C string of a thread's memory, at most as long as a path.
func text(tid int, at uint64) string {
	f, err := os.Open("/proc/" + strconv.Itoa(tid) + "/mem")
	if err != nil {
		return ""
	}
	defer f.Close()
	b := make([]byte, unix.PathMax)
	n, _ := f.ReadAt(b, int64(at)) // what is behind the end of a page may not be there
	s, _, _ := bytes.Cut(b[:n], []byte{0})
	return string(s)
}
