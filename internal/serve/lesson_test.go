package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// slate is a Teacher of one report.
type slate struct{ wait chan struct{} }

func (s slate) Lesson(w io.Writer, own bool) error {
	if s.wait != nil {
		s.wait <- struct{}{}
		<-s.wait
	}
	_, err := fmt.Fprintf(w, "lesson own=%v", own)
	return err
}

func (s slate) Report(run string) ([]byte, bool) {
	return []byte("report of " + run), run == "runs/a&b"
}

// lessonAt is a lesson on a port of its own.
func lessonAt(t *testing.T, s Teacher) (url string, stop context.CancelFunc, ended chan error) {
	t.Helper()
	l, err := ListenHere(0)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended = make(chan error, 1)
	go func() { ended <- ServeLesson(ctx, s, l, 5*time.Second) }()
	return "http://" + l.Addr().String(), cancel, ended
}

func TestALessonAnswersThisMachineAlone(t *testing.T) {
	url, stop, ended := lessonAt(t, slate{})
	for _, c := range []struct {
		method, path, host string
		code               int
		want               string
	}{
		{"GET", "/", "", 200, "lesson own=false"},
		{"GET", "/own", "localhost:80", 200, "lesson own=true"},
		{"GET", "/own", "[::1]:80", 200, "lesson own=true"},
		{"GET", ReportLink("runs/a&b"), "", 200, "report of runs/a&b"},
		{"GET", ReportLink("../etc"), "", 404, "no such training"},
		{"GET", "/report", "", 404, "no such training"},
		{"GET", "/other", "", 404, ""},
		{"POST", "/", "", 405, ""},
		{"GET", "/", "rebound.example", 403, "for this machine alone"},
		{"GET", "/", "192.0.2.1:8090", 403, "for this machine alone"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), c.method, url+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.Host = c.host; c.host == "" {
			r.Host = r.URL.Host
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != c.code || !strings.Contains(string(body), c.want) {
			t.Errorf("%s %s for %q: %d %q (%v)", c.method, c.path, c.host, res.StatusCode, body, err)
		}
		if policy := res.Header.Get("Content-Security-Policy"); c.code == 200 && !strings.HasPrefix(policy, "default-src 'none';") {
			t.Errorf("%s: policy %q", c.path, policy)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestALessonEndsWhenItsPagesAreMade: a page that is asked for comes, though the server ends.
func TestALessonEndsWhenItsPagesAreMade(t *testing.T) {
	s := slate{make(chan struct{})}
	url, stop, ended := lessonAt(t, s)
	got := make(chan string, 1)
	go func() {
		res, err := http.Get(url) //nolint:noctx // a test's own server
		if err != nil {
			got <- err.Error()
			return
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		got <- string(body)
	}()
	<-s.wait
	stop()
	select {
	case err := <-ended:
		t.Fatalf("ended with a page in hand: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	s.wait <- struct{}{}
	if page := <-got; page != "lesson own=false" {
		t.Error(page)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestABusyPortIsNamedWithARemedy(t *testing.T) {
	l, err := ListenHere(0)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	_, err = ListenHere(port)
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("127.0.0.1:%d", port)) || !strings.Contains(err.Error(), "--port") {
		t.Errorf("%v", err)
	}
	if op := new(net.OpError); !errors.As(err, &op) {
		t.Errorf("%T", err)
	}
}
