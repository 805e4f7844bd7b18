package datasets

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestWrongContentLengthIsNeverAccepted(t *testing.T) {
	content := randomBytes(50_000)
	for _, off := range []int{-1000, 1000} {
		for _, pinnedSize := range []bool{true, false} {
			m := newMirror(t, content, `"a"`, func(w http.ResponseWriter, r *http.Request, n int) bool {
				w.Header().Set("Content-Length", fmt.Sprint(len(content)+off))
				w.Write(content[:min(len(content), len(content)+off)])
				return true
			})
			r := file(content)
			if !pinnedSize {
				r.size = 0
			}
			o := quick(m)
			dir, err := try(t, m, r, o)
			if !errors.Is(err, ErrFetch) && !errors.Is(err, ErrData) {
				t.Errorf("length off by %d, size pinned %v: error %v", off, pinnedSize, err)
			}
			wantNoFile(t, dir)
			if n := len(m.requests()); n > 6 {
				t.Errorf("length off by %d, size pinned %v: %d requests: starting over is no progress", off, pinnedSize, n)
			}
		}
	}
}

func TestServerErrorsAreRetriedAndThenReported(t *testing.T) {
	content := randomBytes(50_000)
	failing := func(times int) func(w http.ResponseWriter, r *http.Request, n int) bool {
		return func(w http.ResponseWriter, r *http.Request, n int) bool {
			if n < times {
				w.WriteHeader([]int{500, 503, 429}[n%3])
			}
			return n < times
		}
	}
	m := newMirror(t, content, `"a"`, failing(2))
	dir, err := try(t, m, file(content), quick(m))
	if err != nil {
		t.Fatal(err)
	}
	wantFile(t, dir, content)

	m = newMirror(t, content, `"a"`, failing(1000))
	dir, err = try(t, m, file(content), quick(m))
	if !errors.Is(err, ErrFetch) || len(m.requests()) != 3 || !strings.Contains(err.Error(), "429") {
		t.Errorf("%d requests, want 3; error %v, want ErrFetch with the last status", len(m.requests()), err)
	}
	wantNoFile(t, dir)
}

func TestAMissingFileIsNotRetried(t *testing.T) {
	m := newMirror(t, nil, "", func(w http.ResponseWriter, r *http.Request, n int) bool {
		w.WriteHeader(http.StatusNotFound)
		return true
	})
	dir, err := try(t, m, file([]byte("x")), quick(m))
	if !errors.Is(err, ErrFetch) || len(m.requests()) != 1 || !strings.Contains(err.Error(), "404") {
		t.Errorf("%d requests, want 1; error %v", len(m.requests()), err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestAStallIsCutAndRetried(t *testing.T) {
	content := randomBytes(50_000)
	for name, stall := range map[string]func(w http.ResponseWriter, r *http.Request){
		"before the header": func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"after a good start": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(content)))
			w.Write(content[:40_000])
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		},
		"drop by drop": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(content)))
			for i := range content {
				if _, err := w.Write(content[i : i+1]); err != nil {
					return
				}
				w.(http.Flusher).Flush()
				select {
				case <-time.After(5 * time.Millisecond):
				case <-r.Context().Done():
					return
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMirror(t, content, `"a"`, func(w http.ResponseWriter, r *http.Request, n int) bool {
				if n == 0 {
					stall(w, r)
				}
				return n == 0
			})
			o := quick(m)
			o.StallTimeout = 400 * time.Millisecond
			start := time.Now()
			dir, err := try(t, m, file(content), o)
			if err != nil {
				t.Fatal(err)
			}
			wantFile(t, dir, content)
			if d := time.Since(start); d > time.Minute { // four by drops
				t.Errorf("it took %v", d)
			}
		})
	}
}

func TestASlowServerThatKeepsSendingIsNotCut(t *testing.T) {
	content := randomBytes(200_000)
	m := newMirror(t, nil, "", func(w http.ResponseWriter, r *http.Request, n int) bool {
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		for chunk := range slices.Chunk(content, 20_000) {
			w.Write(chunk)
			w.(http.Flusher).Flush()
			time.Sleep(100 * time.Millisecond)
		}
		return true
	})
	o := quick(m)
	o.StallTimeout = 700 * time.Millisecond
	dir, err := try(t, m, file(content), o)
	if err != nil {
		t.Fatal(err)
	}
	wantFile(t, dir, content)
	if n := len(m.requests()); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

func TestABodyThatEndsEarlyInGoodOrderIsResumed(t *testing.T) {
	content := randomBytes(50_000)
	m := newMirror(t, content, `"a"`, func(w http.ResponseWriter, r *http.Request, n int) bool {
		if n == 0 { // no length, and a proper end in the middle of the file
			w.Header().Set("ETag", `"a"`)
			w.(http.Flusher).Flush()
			w.Write(content[:20_000])
		}
		return n == 0
	})
	dir, err := try(t, m, file(content), quick(m))
	if err != nil {
		t.Fatal(err)
	}
	wantFile(t, dir, content)
	if got := m.requests(); !slices.Equal(got, []string{"", "bytes=20000-"}) {
		t.Errorf("ranges %q", got)
	}
}

func TestAServerThatAlwaysStallsEndsInAnError(t *testing.T) {
	m := newMirror(t, nil, "", func(w http.ResponseWriter, r *http.Request, n int) bool {
		<-r.Context().Done()
		return true
	})
	o := quick(m)
	o.StallTimeout = 20 * time.Millisecond
	_, err := try(t, m, file([]byte("x")), o)
	if !errors.Is(err, ErrFetch) || !strings.Contains(err.Error(), "stalled") {
		t.Errorf("error %v, want ErrFetch that says stalled", err)
	}
}

// lateAnswer answers a request that has been given up, as a server's last words may arrive.
type lateAnswer struct{}

func (lateAnswer) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return &http.Response{StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, Body: http.NoBody, Request: r}, nil
}

func TestAnAnswerThatComesWithTheCutIsAStall(t *testing.T) {
	o := FetchOptions{Client: &http.Client{Transport: lateAnswer{}}, Backoff: time.Millisecond, Attempts: 3, StallTimeout: 20 * time.Millisecond}
	err := download(t.Context(), "https://example.org/", file([]byte("x")), t.TempDir(), o)
	if !errors.Is(err, ErrFetch) || !strings.Contains(err.Error(), "stalled") {
		t.Errorf("error %v, want ErrFetch that says stalled", err)
	}
}

func TestOnlySafeAddressesAreFollowed(t *testing.T) {
	content := randomBytes(1000)
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write(content) }))
	defer plain.Close()
	redirect := func(to string) *mirror {
		return newMirror(t, nil, "", func(w http.ResponseWriter, r *http.Request, n int) bool {
			http.Redirect(w, r, to, http.StatusFound)
			return true
		})
	}
	pinned := file(content)
	weak := remote{name: "file", digests: []string{md5Of(content)}}
	for _, c := range []struct {
		name string
		base func() (string, *http.Client)
		r    remote
		http bool
		ok   bool
	}{
		{"redirect to http", func() (string, *http.Client) { m := redirect(plain.URL + "/file"); return m.URL, m.Client() }, pinned, false, false},
		{"redirect to http, allowed", func() (string, *http.Client) { m := redirect(plain.URL + "/file"); return m.URL, m.Client() }, pinned, true, true},
		{"redirect to a file", func() (string, *http.Client) { m := redirect("file:///etc/passwd"); return m.URL, m.Client() }, pinned, true, false},
		{"redirect in a circle", func() (string, *http.Client) { m := redirect("/file"); return m.URL, m.Client() }, pinned, true, false},
		{"http with a pinned SHA-256", func() (string, *http.Client) { return plain.URL, nil }, pinned, false, true},
		{"http with an MD5 alone", func() (string, *http.Client) { return plain.URL, nil }, weak, false, false},
		{"http with an MD5 alone, allowed", func() (string, *http.Client) { return plain.URL, nil }, weak, true, true},
		{"a file", func() (string, *http.Client) { return "file:///etc", nil }, pinned, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			base, client := c.base()
			dir := t.TempDir()
			err := download(t.Context(), base+"/", c.r, dir, FetchOptions{Client: client, AllowHTTP: c.http, Backoff: time.Millisecond, Attempts: 2})
			if c.ok && err != nil {
				t.Fatal(err)
			}
			if !c.ok && !errors.Is(err, ErrFetch) {
				t.Fatalf("error %v, want ErrFetch", err)
			}
			if !c.ok {
				wantNoFile(t, dir)
			}
		})
	}
}

func TestAWrongDigestIsNeverAccepted(t *testing.T) {
	content, other := randomBytes(50_000), randomBytes(50_001)[1:]
	m := newMirror(t, other, `"a"`, nil)
	dir, err := try(t, m, file(content), quick(m))
	if !errors.Is(err, ErrData) || !strings.Contains(err.Error(), "digest") {
		t.Errorf("error %v, want ErrData about the digest", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("left behind: %v", entries)
	}
	if n := len(m.requests()); n != 2 {
		t.Errorf("%d requests, want 2: a damaged part is thrown away once", n)
	}
}

func TestAnEndlessBodyIsCut(t *testing.T) {
	content := randomBytes(50_000)
	m := newMirror(t, nil, "", func(w http.ResponseWriter, r *http.Request, n int) bool {
		for {
			if _, err := w.Write(content); err != nil {
				return true
			}
		}
	})
	dir, err := try(t, m, file(content), quick(m))
	if !errors.Is(err, ErrData) {
		t.Errorf("error %v, want ErrData", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("left behind: %v", entries)
	}
}

// TestARangeOfAnotherVersionIsNotAppended: the server ignores If-Range, and nothing is pinned by
// which a file of two versions would be noticed.
func TestARangeOfAnotherVersionIsNotAppended(t *testing.T) {
	old, changed := randomBytes(50_000), randomBytes(50_001)[:50_000]
	m := newMirror(t, nil, "", func(w http.ResponseWriter, r *http.Request, n int) bool {
		if n == 0 {
			dropAfter(w, r, old, `"old"`, 20_000)
		}
		r.Header.Del("If-Range")
		serve(w, r, changed, `"changed"`)
		return true
	})
	dir, err := try(t, m, remote{name: "file"}, quick(m))
	if err != nil {
		t.Fatal(err)
	}
	wantFile(t, dir, changed)
	if got := m.requests(); !slices.Equal(got, []string{"", "bytes=20000-", ""}) {
		t.Errorf("requests for %q", got)
	}
}
