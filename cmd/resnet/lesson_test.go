//go:build unix

package main

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// TestTheLessonIsServedWithTheVisitorsTrainings, those of the folder that is named, until a signal
// ends it; and a port that is taken is an error with a remedy.
func TestTheLessonIsServedWithTheVisitorsTrainings(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "mine"), os.DirFS(filepath.Join("..", "..", "testdata", "runs", "fig6", "resnet20"))); err != nil {
		t.Fatal(err)
	}
	c, out := started(t, "http://", "lesson", dir, "--port", "0", "--measured", filepath.Join(dir, "none"))
	url := regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(out.String())
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	page, err := io.ReadAll(r.Body)
	r.Body.Close()
	for _, want := range []string{"Why residual networks?", filepath.Join(dir, "mine"), "figure-own-error"} {
		if err != nil || !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %q (%v)", want, err)
		}
	}
	_, port, err := net.SplitHostPort(strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	var again, errs bytes.Buffer
	if status := run([]string{"lesson", dir, "--port", port}, strings.NewReader(""), &again, &errs); status != exitIO || !strings.Contains(errs.String(), "choose another with --port") {
		t.Errorf("a busy port: status %d: %s", status, errs.String())
	}
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait()
	if got := c.ProcessState.ExitCode(); got != exitTerminated {
		t.Errorf("status %d: %s", got, out)
	}
}
