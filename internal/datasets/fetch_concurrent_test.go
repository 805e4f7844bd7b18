//go:build unix

package datasets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// fetchHelper, set in the environment to "ADDRESS FOLDER", turns the test binary into a data fetch
// of soakBundle.
const fetchHelper = "RESNET_TEST_FETCH"

func TestMain(m *testing.M) {
	address, dir, ok := strings.Cut(os.Getenv(fetchHelper), " ")
	if !ok {
		os.Exit(m.Run())
	}
	_, b := soakBundle(address)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	err := fetchBundle(ctx, b, dir, FetchOptions{Backoff: time.Millisecond, Waiting: func(line string) { fmt.Println(line) }})
	if ctx.Err() != nil {
		os.Exit(130)
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(0)
}

// soakBundle is an archive of two members, the same in every process.
func soakBundle(address string) (archive []byte, b bundle) {
	one, two := randomBytes(1_500_000), randomBytes(700_001)
	archive, err := makeArchive(item{name: "set/one.bin", data: one}, item{name: "set/two.bin", data: two})
	if err != nil {
		panic(err)
	}
	return archive, bundle{
		base:    address,
		files:   []remote{{name: "a.tar.gz", size: int64(len(archive)), digests: []string{md5Of(archive), sha256Of(archive)}}},
		members: []member{{"set/one.bin", int64(len(one)), sha256Of(one)}, {"set/two.bin", int64(len(two)), sha256Of(two)}},
	}
}

// slowly serves content within about 100 ms, and drops every third connection.
func slowly(content []byte) http.HandlerFunc {
	var mu sync.Mutex
	n := 0
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		n++
		drop := n%3 == 0
		mu.Unlock()
		left := len(content)
		if drop {
			left /= 3
		}
		serve(&slowWriter{w, left}, r, content, `"a"`)
	}
}

type slowWriter struct {
	http.ResponseWriter
	left int
}

func (s *slowWriter) Write(p []byte) (n int, err error) {
	for part := range slices.Chunk(p, 1<<15) {
		time.Sleep(time.Millisecond)
		k, err := s.ResponseWriter.Write(part)
		if n += k; err != nil {
			return n, err
		}
		if s.left -= k; s.left <= 0 {
			panic(http.ErrAbortHandler)
		}
	}
	return n, nil
}

// TestTwoFetchesAtOnce: the second waits, says for whom, and finds everything there.
func TestTwoFetchesAtOnce(t *testing.T) {
	archive, _ := soakBundle("")
	waiting := make(chan string, 1)
	m := newMirror(t, archive, `"a"`, func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if got, want := <-waiting, fmt.Sprintf(".fetch.lock: process %d on ", os.Getpid()); !strings.Contains(got, want) || !strings.HasSuffix(got, "is fetching into this folder: waiting until it has ended") {
			t.Errorf("said %q", got)
		}
		return false
	})
	_, b := soakBundle(m.URL)
	dir := t.TempDir()
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() {
			o := quick(m)
			o.Waiting = func(line string) { waiting <- line }
			if err := fetchBundle(t.Context(), b, dir, o); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if n := len(m.requests()); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
	soakedWell(t, dir)
}

func TestAWaitForAnotherFetchEndsWithTheContext(t *testing.T) {
	archive, _ := soakBundle("")
	ctx, cancel := context.WithCancel(t.Context())
	m := newMirror(t, archive, `"a"`, func(http.ResponseWriter, *http.Request, int) bool {
		<-ctx.Done() // until the second has gone
		return false
	})
	_, b := soakBundle(m.URL)
	dir := t.TempDir()
	first := make(chan error)
	go func() { first <- fetchBundle(context.Background(), b, dir, quick(m)) }()
	for len(m.requests()) == 0 {
		time.Sleep(time.Millisecond)
	}
	o := quick(m)
	o.Waiting = func(string) { cancel() }
	if err := fetchBundle(ctx, b, dir, o); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if err := <-first; err != nil {
		t.Error(err)
	}
	soakedWell(t, dir)
}

// TestWhatIsThereNeedsNoLock: a folder that may only be read has none.
func TestWhatIsThereNeedsNoLock(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("the administrator may write everywhere")
	}
	archive, _ := soakBundle("")
	m := newMirror(t, archive, `"a"`, nil)
	_, b := soakBundle(m.URL)
	dir := t.TempDir()
	if err := fetchBundle(t.Context(), b, dir, quick(m)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o755)
	if err := fetchBundle(t.Context(), b, dir, quick(m)); err != nil {
		t.Error(err)
	}
}

// TestWhatAKillLeavesBesideFinishedFilesGoes lays out what is there after kills at the last
// moments.
func TestWhatAKillLeavesBesideFinishedFilesGoes(t *testing.T) {
	archive, _ := soakBundle("")
	m := newMirror(t, archive, `"a"`, nil)
	_, b := soakBundle(m.URL)
	for name, left := range map[string]map[string]string{
		"the note of the archive":                {"a.tar.gz": string(archive), "a.tar.gz.part.json": "{}"},
		"the archive and the staging folder":     {"a.tar.gz": string(archive), ".unpack/member000": "x"},
		"the staging folder":                     {".unpack/member000": "x"},
		"a note that was being written":          {".a.tar.gz.part.json.tmp-fetch-1-0123abcd": "x"},
		"the lock of a process that was stopped": {".fetch.lock": `{"pid":1,"host":"x","since":"y"}`},
	} {
		dir := t.TempDir()
		if err := fetchBundle(t.Context(), b, dir, quick(m)); err != nil {
			t.Fatal(err)
		}
		if name == "the note of the archive" { // it was killed before it unpacked
			if err := os.RemoveAll(filepath.Join(dir, "set")); err != nil {
				t.Fatal(err)
			}
		}
		for file, text := range left {
			path := filepath.Join(dir, file)
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		if err := fetchBundle(t.Context(), b, dir, quick(m)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := tree(t, dir); len(got) != 3 {
			t.Errorf("%s: %d files and folders, want the members alone: %.80q", name, len(got), got)
		}
	}
}

// soakedWell requires the members and nothing else.
func soakedWell(t *testing.T, dir string) {
	t.Helper()
	_, b := soakBundle("")
	for _, m := range b.members {
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(m.path)))
		if err != nil || sha256Of(data) != m.digest {
			t.Errorf("%s: %d bytes, %v", m.path, len(data), err)
		}
	}
	if got := tree(t, dir); len(got) != 3 {
		t.Errorf("%d files and folders, want the members alone: %.80q", len(got), got)
	}
}

// TestSoakFetch kills fetches RESNET_SOAK times (2 without it), four at once on one folder, at
// moments that follow from RESNET_SOAK_SEED; what has arrived is never lost.
func TestSoakFetch(t *testing.T) {
	kills, seed := 2, rand.Uint64()
	if s := os.Getenv("RESNET_SOAK"); s != "" {
		var err error
		if kills, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	if s := os.Getenv("RESNET_SOAK_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("RESNET_SOAK_SEED=%d", seed)
	archive, _ := soakBundle("")
	server := httptest.NewServer(slowly(archive))
	defer server.Close()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	start := func(dir string) (*exec.Cmd, *bytes.Buffer, chan struct{}) {
		var said bytes.Buffer
		c := exec.Command(exe)
		c.Env = append(os.Environ(), fetchHelper+"="+server.URL+" "+dir)
		c.Stdout, c.Stderr = &said, &said
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() { defer close(ended); _ = c.Wait() }()
		return c, &said, ended
	}
	finish := func(dir string) {
		if c, said, ended := start(dir); true {
			if <-ended; !c.ProcessState.Success() {
				t.Errorf("%v: %s", c.ProcessState, said)
			}
		}
		soakedWell(t, dir)
	}
	begun := time.Now()
	finish(t.TempDir())
	took := time.Since(begun)
	r, killed, lives, waits := rand.New(rand.NewPCG(seed, 0)), 0, 0, 0
	deadline := time.Now().Add(9 * time.Minute)
	for killed < kills && !t.Failed() {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d kills in the time allowed", killed, kills)
		}
		lives++
		dir := t.TempDir()
		for done := false; !done && killed < kills; {
			before := arrived(dir)
			var mu sync.Mutex
			var group sync.WaitGroup
			for range 4 {
				sig := []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGINT}[r.IntN(3)]
				after := time.Duration(r.Float64() * 1.2 * float64(took))
				group.Go(func() {
					c, said, ended := start(dir)
					hit := false
					select {
					case <-ended:
					case <-time.After(after):
						hit = c.Process.Signal(sig) == nil
						<-ended
					}
					mu.Lock()
					defer mu.Unlock()
					if hit {
						killed++
					}
					waits += strings.Count(said.String(), "waiting until")
					status := c.ProcessState.Sys().(syscall.WaitStatus)
					switch {
					case status.Signaled() && hit && status.Signal() == sig, status.ExitStatus() == 130 && hit && sig != syscall.SIGKILL:
					case status.ExitStatus() == 0 && !status.Signaled():
						done = true
					default:
						t.Errorf("%v: %s", c.ProcessState, said)
					}
				})
			}
			group.Wait()
			if now := arrived(dir); now < before {
				t.Errorf("%d bytes had arrived, and now there are %d", before, now)
			}
		}
		finish(dir)
	}
	t.Logf("%d kills in %d lives of a folder, each fetch by itself %v; %d waited", killed, lives, took.Round(time.Millisecond), waits)
}

// arrived is how much of the archive there is; what has been unpacked is all of it.
func arrived(dir string) int64 {
	for _, path := range []string{"set/two.bin", "a.tar.gz"} {
		if _, err := os.Stat(filepath.Join(dir, path)); err == nil {
			return 1 << 30
		}
	}
	if st, err := os.Stat(filepath.Join(dir, "a.tar.gz.part")); err == nil {
		return st.Size()
	}
	return 0
}
