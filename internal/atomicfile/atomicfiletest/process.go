package atomicfiletest

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// Start runs the test binary once more as another process, which is told what to do by a variable
// of the environment that its TestMain looks at, and waits for its line ready. finish writes it a
// line and returns how it ended. It is killed when the test ends.
func Start(t *testing.T, variable, value, ready string) (cmd *exec.Cmd, finish func() error) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd = exec.Command(exe)
	cmd.Env = append(cmd.Environ(), variable+"="+value)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	if line, err := bufio.NewReader(out).ReadString('\n'); line != ready+"\n" {
		t.Fatalf("the other process said %q (%v), want %q", line, err, ready)
	}
	return cmd, func() error {
		fmt.Fprintln(in)
		return cmd.Wait()
	}
}
