package datasets

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func sha256Of(b []byte) string {
	s := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(s[:])
}

func md5Of(b []byte) string {
	s := md5.Sum(b)
	return "md5:" + hex.EncodeToString(s[:])
}

func randomBytes(n int) []byte {
	g := rand.New(rand.NewPCG(uint64(n), 3))
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(g.Uint32())
	}
	return out
}

// mirror is a server of one file over TLS. Each request is recorded, and answered by answer.
type mirror struct {
	*httptest.Server
	mu     sync.Mutex
	ranges []string // the Range header of each request
}

// newMirror answers request number n (from 0) with answer; a nil answer, or one that returns false, serves content.
func newMirror(t *testing.T, content []byte, etag string, answer func(w http.ResponseWriter, r *http.Request, n int) bool) *mirror {
	t.Helper()
	m := &mirror{}
	m.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.mu.Lock()
		n := len(m.ranges)
		m.ranges = append(m.ranges, r.Header.Get("Range"))
		m.mu.Unlock()
		if answer != nil && answer(w, r, n) {
			return
		}
		serve(w, r, content, etag)
	}))
	m.Config.ErrorLog = nil
	t.Cleanup(m.Close)
	return m
}

func serve(w http.ResponseWriter, r *http.Request, content []byte, etag string) {
	w.Header().Set("ETag", etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

func (m *mirror) requests() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.ranges)
}

// dropAfter serves like serve and cuts the connection after n bytes of body.
func dropAfter(w http.ResponseWriter, r *http.Request, content []byte, etag string, n int) {
	serve(&dropWriter{w, n}, r, content, etag)
}

type dropWriter struct {
	http.ResponseWriter
	left int
}

func (d *dropWriter) Write(p []byte) (int, error) {
	n, err := d.ResponseWriter.Write(p[:min(len(p), d.left)])
	if d.left -= n; d.left == 0 || err != nil {
		d.ResponseWriter.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	return n, err
}

func quick(m *mirror) FetchOptions {
	return FetchOptions{Client: m.Client(), Backoff: time.Millisecond, Attempts: 3, StallTimeout: 5 * time.Second}
}

// try downloads content's file from m and checks what is there afterwards.
func try(t *testing.T, m *mirror, r remote, o FetchOptions) (string, error) {
	t.Helper()
	dir := t.TempDir()
	return dir, download(t.Context(), m.URL+"/", r, dir, o)
}

func wantFile(t *testing.T, dir string, content []byte) {
	t.Helper()
	got, err := os.ReadFile(filepath.Join(dir, "file"))
	if err != nil || !bytes.Equal(got, content) {
		t.Fatalf("%d bytes arrived, want %d (%v)", len(got), len(content), err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left beside the file: %v", entries)
	}
}

func wantNoFile(t *testing.T, dir string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(dir, "file")); err == nil {
		t.Error("the file is there under its final name")
	}
}

func file(content []byte) remote {
	return remote{name: "file", size: int64(len(content)), digests: []string{md5Of(content), sha256Of(content)}}
}

func TestDownloadResumesAfterADropAtEachTenth(t *testing.T) {
	content := randomBytes(200_000)
	for tenth := 1; tenth <= 9; tenth++ {
		at := len(content) * tenth / 10
		m := newMirror(t, content, `"a"`, func(w http.ResponseWriter, r *http.Request, n int) bool {
			if n == 0 {
				dropAfter(w, r, content, `"a"`, at)
			}
			return n == 0
		})
		dir, err := try(t, m, file(content), quick(m))
		if err != nil {
			t.Fatalf("drop at %d %%: %v", 10*tenth, err)
		}
		wantFile(t, dir, content)
		if got, want := m.requests(), []string{"", fmt.Sprintf("bytes=%d-", at)}; !slices.Equal(got, want) {
			t.Errorf("drop at %d %%: ranges %q, want %q", 10*tenth, got, want)
		}
	}
}

func TestDownloadSurvivesADropInEveryRequest(t *testing.T) {
	content := randomBytes(200_000)
	m := newMirror(t, content, `"a"`, func(w http.ResponseWriter, r *http.Request, n int) bool {
		dropAfter(w, r, content, `"a"`, len(content)/10)
		return true
	})
	dir, err := try(t, m, file(content), quick(m))
	if err != nil {
		t.Fatal(err)
	}
	wantFile(t, dir, content)
}

func TestAnotherFetchGoesOnWhereOneWasStopped(t *testing.T) {
	content := randomBytes(400_000)
	m := newMirror(t, content, `"a"`, func(w http.ResponseWriter, r *http.Request, n int) bool {
		if n == 0 { // the first request brings 150,000 bytes, then nothing more
			w.Header().Set("ETag", `"a"`)
			w.Header().Set("Content-Length", fmt.Sprint(len(content)))
			w.Write(content[:150_000])
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}
		return n == 0
	})
	dir := t.TempDir()
	ctx, stop := context.WithCancel(t.Context())
	o := quick(m)
	o.Progress = func(p Progress) {
		if p.File != "file" || p.Total != int64(len(content)) {
			t.Errorf("progress %+v", p)
		}
		if p.Done > 100_000 {
			stop()
		}
	}
	if err := download(ctx, m.URL+"/", file(content), dir, o); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want context.Canceled", err)
	}
	wantNoFile(t, dir)
	st, err := os.Stat(filepath.Join(dir, "file.part"))
	if err != nil || st.Size() < 100_000 {
		t.Fatal("the part was not kept", err)
	}
	if err := download(t.Context(), m.URL+"/", file(content), dir, quick(m)); err != nil {
		t.Fatal(err)
	}
	wantFile(t, dir, content)
	if got, want := m.requests()[1], fmt.Sprintf("bytes=%d-", st.Size()); got != want {
		t.Errorf("range %q, want %q", got, want)
	}
}

func TestDownloadStartsOverWhenTheFileHasChanged(t *testing.T) {
	old, content := randomBytes(100_001)[1:], randomBytes(100_000)
	for name, second := range map[string]func(w http.ResponseWriter, r *http.Request){
		"the server heeds If-Range": func(w http.ResponseWriter, r *http.Request) { serve(w, r, content, `"new"`) },
		"the server ignores If-Range": func(w http.ResponseWriter, r *http.Request) {
			r.Header.Del("If-Range")
			serve(w, r, content, `"new"`)
		},
		"the server has no ranges": func(w http.ResponseWriter, r *http.Request) { w.Write(content) },
		"the server sends another range": func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") != "" {
				r.Header.Set("Range", "bytes=7-")
				r.Header.Del("If-Range")
			}
			serve(w, r, content, `"new"`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMirror(t, content, "", func(w http.ResponseWriter, r *http.Request, n int) bool {
				if n == 0 {
					dropAfter(w, r, old, `"old"`, len(old)/2)
				} else {
					second(w, r)
				}
				return true
			})
			dir, err := try(t, m, file(content), quick(m))
			if err != nil {
				t.Fatal(err)
			}
			wantFile(t, dir, content)
		})
	}
}

func TestDownloadStartsOverOn416(t *testing.T) {
	content := randomBytes(50_000)
	m := newMirror(t, content, `"a"`, nil)
	dir := t.TempDir()
	r := file(content)
	r.size = 0 // so that the length of the part is not suspicious by itself
	if err := os.WriteFile(filepath.Join(dir, "file.part"), randomBytes(60_000), 0o644); err != nil {
		t.Fatal(err)
	}
	note := fmt.Sprintf(`{"url":%q,"etag":"\"a\""}`, m.URL+"/file")
	if err := os.WriteFile(filepath.Join(dir, "file.part.json"), []byte(note), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := download(t.Context(), m.URL+"/", r, dir, quick(m)); err != nil {
		t.Fatal(err)
	}
	wantFile(t, dir, content)
	if got := m.requests(); !slices.Equal(got, []string{"bytes=60000-", ""}) {
		t.Errorf("ranges %q", got)
	}
}

func TestAPartOfAnotherAddressIsNotTrusted(t *testing.T) {
	content := randomBytes(50_000)
	m := newMirror(t, content, `"a"`, nil)
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "file.part"), content[:100], 0o644)
	os.WriteFile(filepath.Join(dir, "file.part.json"), []byte(`{"url":"https://elsewhere/file"}`), 0o644)
	if err := download(t.Context(), m.URL+"/", file(content), dir, quick(m)); err != nil {
		t.Fatal(err)
	}
	if got := m.requests(); !slices.Equal(got, []string{""}) {
		t.Errorf("ranges %q, want one request for the whole", got)
	}
}

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
	_, err := try(t, m, file([]byte("x")), quick(m))
	if !errors.Is(err, ErrFetch) || len(m.requests()) != 1 || !strings.Contains(err.Error(), "404") {
		t.Errorf("%d requests, want 1; error %v", len(m.requests()), err)
	}
}

func TestAStallIsCutAndRetried(t *testing.T) {
	content := randomBytes(50_000)
	for name, stall := range map[string]func(w http.ResponseWriter, r *http.Request){
		"before the header": func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
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
			o.StallTimeout = 100 * time.Millisecond
			start := time.Now()
			dir, err := try(t, m, file(content), o)
			if err != nil {
				t.Fatal(err)
			}
			wantFile(t, dir, content)
			if d := time.Since(start); d > 3*time.Second {
				t.Errorf("it took %v", d)
			}
		})
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
