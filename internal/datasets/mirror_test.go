package datasets

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
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

// newMirror answers request number n (from 0) with answer; a nil answer, or one that returns false,
// serves content.
func newMirror(t testing.TB, content []byte, etag string, answer func(w http.ResponseWriter, r *http.Request, n int) bool) *mirror {
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

func wantFile(t testing.TB, dir string, content []byte) {
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
