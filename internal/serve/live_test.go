package serve

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func liveAt(t *testing.T, page func(io.Writer) error) (*Live, string) {
	t.Helper()
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return NewLive(l, page), "http://" + l.Addr().String()
}

func get(t *testing.T, url, host string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if host != "" {
		r.Host = host
	}
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	b, _ := io.ReadAll(a.Body)
	return a.StatusCode, string(b)
}

// stream reads the events of a server, a line each of name and data.
func stream(ctx context.Context, t *testing.T, url string) <-chan string {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	a, err := http.DefaultClient.Do(r)
	if err != nil || a.StatusCode != http.StatusOK || a.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%+v (%v)", a, err)
	}
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		defer a.Body.Close()
		name := ""
		for in := bufio.NewScanner(a.Body); in.Scan(); {
			if n, ok := strings.CutPrefix(in.Text(), "event: "); ok {
				name = n
			}
			if d, ok := strings.CutPrefix(in.Text(), "data: "); ok {
				lines <- name + " " + d
			}
		}
	}()
	return lines
}

func next(t *testing.T, lines <-chan string) string {
	t.Helper()
	select {
	case s, ok := <-lines:
		if !ok {
			return "closed"
		}
		return s
	case <-time.After(10 * time.Second):
		t.Fatal("nothing comes")
		return ""
	}
}

func TestEveryReaderGetsTheNewestValues(t *testing.T) {
	var whole atomic.Bool
	s, url := liveAt(t, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "whole: %v", whole.Load())
		return err
	})
	s.last = time.Minute // which a busy machine does not reach
	s.Publish("step", func() any { return 1 })
	first := stream(t.Context(), t, url)
	if got := next(t, first); got != "step 1" {
		t.Errorf("%q", got)
	}
	s.Publish("step", func() any { return 2 })
	if got := next(t, first); got != "step 2" {
		t.Errorf("%q", got)
	}
	second := stream(t.Context(), t, url) // comes late, and knows what is
	if got := next(t, second); got != "step 2" {
		t.Errorf("%q", got)
	}
	for i := range 50 { // those between are left out
		s.Publish("step", func() any { return i })
	}
	for got := ""; got != "step 49"; got = next(t, first) {
	}
	if got := next(t, second); got != "step 49" {
		t.Errorf("%q", got)
	}
	if status, page := get(t, url, ""); status != 200 || page != "whole: false" {
		t.Errorf("%d %q", status, page)
	}
	whole.Store(true)
	ended := make(chan error, 1)
	go func() { ended <- s.End() }()
	for _, lines := range []<-chan string{first, second} {
		if got := next(t, lines); got != "end {}" {
			t.Errorf("%q", got)
		}
		if got := next(t, lines); got != "closed" {
			t.Errorf("after the end: %q", got)
		}
		select {
		case err := <-ended:
			t.Fatalf("it ended before its readers had the last page (%v)", err)
		default:
		}
		if _, page := get(t, url, ""); page != "whole: true" {
			t.Errorf("the last page is %q", page)
		}
	}
	start := time.Now()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if d := time.Since(start); d > s.last/2 {
		t.Errorf("it took %v to end after the last reader had the page", d)
	}
	if _, err := net.DialTimeout("tcp", strings.TrimPrefix(url, "http://"), time.Second); err == nil {
		t.Error("the port is still taken")
	}
}

func TestNothingIsMadeWhileNobodyLooks(t *testing.T) {
	s, _ := liveAt(t, func(io.Writer) error { return nil })
	for range 100 {
		s.Publish("step", func() any { t.Error("a value was made"); return nil })
	}
	time.Sleep(2 * liveInterval)
	if err := s.End(); err != nil {
		t.Error(err)
	}
}

func TestAReaderWhoLeavesIsNotWaitedFor(t *testing.T) {
	s, url := liveAt(t, func(io.Writer) error { return nil })
	s.last = time.Minute
	s.Publish("step", func() any { return 1 })
	ctx, cancel := context.WithCancel(t.Context())
	lines := stream(ctx, t, url)
	next(t, lines)
	cancel()
	for {
		s.mu.Lock()
		n := s.readers
		s.mu.Unlock()
		if n == 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	start := time.Now()
	if err := s.End(); err != nil || time.Since(start) > s.last/2 {
		t.Errorf("%v after %v", err, time.Since(start))
	}
}

func TestAPageOfThisMachineIsNotForOthers(t *testing.T) {
	s, url := liveAt(t, func(w io.Writer) error { _, err := io.WriteString(w, "page"); return err })
	defer func() { _ = s.End() }()
	for host, want := range map[string]int{"": 200, "localhost:80": 200, "127.0.0.1": 200, "[::1]:7": 200, "evil.example": 403, "evil.example:80": 403, "192.0.2.1:8090": 403} {
		if status, _ := get(t, url, host); status != want {
			t.Errorf("host %q: %d, want %d", host, status, want)
		}
	}
	w := httptest.NewRecorder()
	s.root(w, nil)
	if p := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(p, "default-src 'none';") || !strings.HasSuffix(p, "; connect-src 'self'") {
		t.Errorf("policy %q", p)
	}
	if status, _ := get(t, url+"/other", ""); status != 404 {
		t.Errorf("another path: %d", status)
	}
}

func TestMoreReadersThanThereIsRoomForAreRefused(t *testing.T) {
	s, url := liveAt(t, func(io.Writer) error { return nil })
	s.Publish("step", func() any { return 1 })
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for range liveReaders {
		next(t, stream(ctx, t, url))
	}
	if status, _ := get(t, url+"/events", ""); status != http.StatusServiceUnavailable {
		t.Errorf("one more: %d", status)
	}
	cancel()
	_ = s.End() // some may have left already
}

func TestAPageThatCannotBeMadeIsAnError(t *testing.T) {
	s, url := liveAt(t, func(io.Writer) error { return fmt.Errorf("no such run") })
	defer func() { _ = s.End() }()
	if status, text := get(t, url, ""); status != 500 || !strings.Contains(text, "no such run") {
		t.Errorf("%d %q", status, text)
	}
}
