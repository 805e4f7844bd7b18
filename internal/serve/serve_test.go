package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"resnet/internal/eval"
)

// echo is a network that sees in an image its text, which is bad where it begins with "bad".
type echo struct {
	started chan struct{} // of each image that has come, unless nil
	going   chan struct{} // one lets an image go on, unless nil
	fail    error
}

func (e *echo) Guesses(ctx context.Context, image []byte, _ string, top int) (guesses []eval.Guess, bad, err error) {
	if e.started != nil {
		e.started <- struct{}{}
	}
	if e.going != nil {
		select {
		case <-e.going:
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
	}
	if e.fail != nil {
		return nil, nil, e.fail
	}
	if bytes.HasPrefix(image, []byte("bad")) {
		return nil, errors.New("image: it is bad"), nil
	}
	for k := range top {
		guesses = append(guesses, eval.Guess{Class: k, Name: string(image), Probability: 0.5})
	}
	return guesses, nil, nil
}

var bounds = Options{Model: "resnet20", Checkpoint: "runs/a", View: "1 view", Precision: "bfloat16", Top: 2, MaxBytes: 100, MaxMemory: 250, MaxWaiting: 4, Timeout: 5 * time.Second}

// started is a server on a port of its own, over which real connections come.
func started(t *testing.T, c Classifier, change func(*Options)) (url string, stop context.CancelFunc, ended chan error) {
	t.Helper()
	url, _, stop, ended = startedServer(t, c, change)
	return url, stop, ended
}

func startedServer(t *testing.T, c Classifier, change func(*Options)) (url string, s *Server, stop context.CancelFunc, ended chan error) {
	t.Helper()
	o := bounds
	if change != nil {
		change(&o)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended = make(chan error, 1)
	s = New(c, o)
	go func() { ended <- s.Serve(ctx, l, 5*time.Second) }()
	t.Cleanup(stop)
	return "http://" + l.Addr().String(), s, stop, ended
}

func post(t *testing.T, url, kind string, body io.Reader) (int, string) {
	t.Helper()
	r, err := http.Post(url, kind, body)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, strings.TrimSpace(string(b))
}

func TestAnImageIsAnsweredWithPredictsKeys(t *testing.T) {
	url, _, _ := started(t, &echo{}, nil)
	for _, c := range []struct {
		query, body string
		code        int
		want        string
	}{
		{"", "cat", 200, `{"top":[{"class":0,"name":"cat","probability":0.5},{"class":1,"name":"cat","probability":0.5}]}`},
		{"?top=1", "dog", 200, `{"top":[{"class":0,"name":"dog","probability":0.5}]}`},
		{"", "bad one", 400, `{"error":"image: it is bad"}`},
		{"", "", 400, `{"error":"an empty body: send the bytes of an image file"}`},
		{"?top=0", "cat", 400, `{"error":"top=\"0\": a whole number from 1"}`},
		{"?top=many", "cat", 400, `{"error":"top=\"many\": a whole number from 1"}`},
		{"", strings.Repeat("x", 100), 200, ""},
		{"", strings.Repeat("x", 101), 413, `{"error":"a body of 101 bytes, and 100 are read at most"}`},
	} {
		code, got := post(t, url+"/predict"+c.query, "image/png", strings.NewReader(c.body))
		if code != c.code || c.want != "" && got != c.want {
			t.Errorf("%q %q: %d %s, want %d %s", c.query, c.body, code, got, c.code, c.want)
		}
	}
	// A body whose length is not said before.
	if code, got := post(t, url+"/predict", "", io.MultiReader(strings.NewReader(strings.Repeat("x", 101)))); code != 413 || !strings.Contains(got, "more than 100 bytes") {
		t.Errorf("%d %s", code, got)
	}
}

// formOf has the bodies as files, and a field that is none.
func formOf(t *testing.T, bodies ...string) (kind string, body *bytes.Buffer) {
	t.Helper()
	body = new(bytes.Buffer)
	w := multipart.NewWriter(body)
	if err := w.WriteField("remark", "none"); err != nil {
		t.Fatal(err)
	}
	for i, b := range bodies {
		f, err := w.CreateFormFile("image", fmt.Sprintf("%d.png", i))
		if err == nil {
			_, err = io.WriteString(f, b)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return w.FormDataContentType(), body
}

func TestAFormIsAnsweredFileByFile(t *testing.T) {
	url, _, _ := started(t, &echo{}, func(o *Options) { o.MaxBytes, o.MaxMemory = 2000, 4000 })
	kind, body := formOf(t, "cat", "bad", "dog")
	code, got := post(t, url+"/predict?top=1", kind, body)
	want := `{"model":"resnet20","checkpoint":"runs/a","protocol":"1 view","precision":"bfloat16","images":[{"image":"0.png","top":[{"class":0,"name":"cat","probability":0.5}]},` +
		`{"image":"1.png","error":"image: it is bad"},{"image":"2.png","top":[{"class":0,"name":"dog","probability":0.5}]}]}`
	if code != 200 || got != want {
		t.Errorf("%d %s, want %s", code, got, want)
	}
	kind, body = formOf(t, "bad", "bad as well")
	if code, got := post(t, url+"/predict", kind, body); code != 400 || strings.Count(got, "it is bad") != 2 {
		t.Errorf("%d %s", code, got)
	}
	kind, body = formOf(t)
	if code, got := post(t, url+"/predict", kind, body); code != 400 || !strings.Contains(got, "a form without a file") {
		t.Errorf("%d %s", code, got)
	}
	kind, body = formOf(t, "cat")
	if code, got := post(t, url+"/predict", kind, strings.NewReader(body.String()[:body.Len()/2])); code != 400 || !strings.Contains(got, "does not parse") {
		t.Errorf("%d %s", code, got)
	}
	if code, got := post(t, url+"/predict", "multipart/form-data", strings.NewReader("x")); code != 400 || !strings.Contains(got, "without a boundary") {
		t.Errorf("%d %s", code, got)
	}
}

func TestOtherPathsAndMethods(t *testing.T) {
	url, _, _ := started(t, &echo{}, nil)
	for path, want := range map[string]int{"/": 200, "/healthz": 200, "/metrics": 200, "/predict": 405, "/nowhere": 404, "/../etc/passwd": 404} {
		r, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if r.StatusCode != want {
			t.Errorf("GET %s: %d, want %d", path, r.StatusCode, want)
		}
	}
}

// TestTooManyRequestsAreRefused while four are worked on, whose bodies leave room for no other.
func TestTooManyRequestsAreRefused(t *testing.T) {
	e := &echo{started: make(chan struct{}, 9), going: make(chan struct{})}
	url, _, _ := started(t, e, func(o *Options) { o.MaxWaiting = 3 })
	var wg sync.WaitGroup
	ask := func(size, want int) {
		wg.Go(func() {
			if code, got := post(t, url+"/predict", "", strings.NewReader(strings.Repeat("x", size))); code != want {
				t.Errorf("%d bytes: %d %s, want %d", size, code, got, want)
			}
		})
		<-e.started
	}
	ask(100, 200)
	ask(100, 200)
	// 50 of 250 bytes are left.
	code, got := post(t, url+"/predict", "", strings.NewReader(strings.Repeat("x", 51)))
	if code != 429 || !strings.Contains(got, "memory") {
		t.Errorf("%d %s", code, got)
	}
	ask(50, 200)
	code, got = post(t, url+"/predict", "", strings.NewReader("x"))
	if code != 429 || !strings.Contains(got, "3 requests are being worked on") {
		t.Errorf("%d %s", code, got)
	}
	close(e.going)
	wg.Wait()
	// All that was taken has been given back.
	for range 5 {
		if code, got := post(t, url+"/predict", "", strings.NewReader(strings.Repeat("x", 100))); code != 200 {
			t.Errorf("afterwards: %d %s", code, got)
		}
	}
}

// raw sends bytes on a connection and gives the line of the answer's status.
func raw(t *testing.T, url, request string, closeAfter bool) string {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	if closeAfter {
		if err := c.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(c)
	line, _, _ := strings.Cut(string(b), "\r\n")
	if err != nil && line == "" {
		t.Fatal(err)
	}
	return line
}

func TestSlowAndCutOffRequestsAreAnswered(t *testing.T) {
	url, _, _ := started(t, &echo{}, func(o *Options) { o.Timeout = 200 * time.Millisecond })
	for _, c := range []struct {
		request string
		end     bool
		want    string
	}{
		{"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nhalf", false, "HTTP/1.1 408 Request Timeout"},
		{"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nhalf", true, "HTTP/1.1 400 Bad Request"},
		{"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", true, "HTTP/1.1 400 Bad Request"},
		{"nonsense\r\n\r\n", false, "HTTP/1.1 400 Bad Request"},
		{"POST /predict HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("y", 100<<10) + "\r\n\r\n", false, "HTTP/1.1 431 Request Header Fields Too Large"},
	} {
		if got := raw(t, url, c.request, c.end); got != c.want {
			t.Errorf("%.60q: %s, want %s", c.request, got, c.want)
		}
	}
	if code, got := post(t, url+"/predict", "", strings.NewReader("cat")); code != 200 {
		t.Errorf("afterwards: %d %s", code, got)
	}
}

func TestAFaultOfTheNetworkIs500AndSaid(t *testing.T) {
	var mu sync.Mutex
	var said []string
	url, _, _ := started(t, &echo{fail: errors.New("a logit is NaN")}, func(o *Options) {
		o.Say = func(line string) {
			mu.Lock()
			defer mu.Unlock()
			said = append(said, line)
		}
	})
	if code, got := post(t, url+"/predict", "", strings.NewReader("cat")); code != 500 || got != `{"error":"a logit is NaN"}` {
		t.Errorf("%d %s", code, got)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(said) != 1 || said[0] != "a logit is NaN" {
		t.Errorf("said %q", said)
	}
	closed, _, _ := started(t, &echo{fail: fmt.Errorf("x: %w", eval.ErrClosed)}, nil)
	if code, _ := post(t, closed+"/predict", "", strings.NewReader("cat")); code != 503 {
		t.Errorf("closed: %d", code)
	}
}

// TestTheEndWaitsForRequestsInHand and takes no new ones.
func TestTheEndWaitsForRequestsInHand(t *testing.T) {
	e := &echo{started: make(chan struct{}, 1), going: make(chan struct{})}
	url, s, stop, ended := startedServer(t, e, nil)
	answered := make(chan int)
	go func() {
		code, _ := post(t, url+"/predict", "", strings.NewReader("cat"))
		answered <- code
	}()
	<-e.started
	stop()
	select {
	case err := <-ended:
		t.Fatalf("ended with a request in hand: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest("GET", "/healthz", nil))
	if w.Code != 503 || !strings.Contains(w.Body.String(), `"ending"`) {
		t.Errorf("health while it ends: %d %s", w.Code, w.Body)
	}
	close(e.going)
	if code := <-answered; code != 200 {
		t.Errorf("the request in hand: %d", code)
	}
	if err := <-ended; err != nil {
		t.Errorf("%v", err)
	}
	if _, err := http.Get(url + "/healthz"); err == nil {
		t.Error("a connection after the end")
	}
}

func TestMetricsCount(t *testing.T) {
	s := New(&echo{}, bounds)
	for _, body := range []string{"cat", "dog", "bad", ""} {
		s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/predict", strings.NewReader(body)))
	}
	s.Computed(3)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, line := range []string{
		`resnet_requests_total{code="200"} 2`, `resnet_requests_total{code="400"} 2`, "resnet_images_total 2", "resnet_bad_images_total 1",
		"resnet_request_seconds_count 4", "resnet_requests_in_hand 0", "resnet_batch_images_sum 3", `resnet_batch_images_bucket{le="2"} 0`, `resnet_batch_images_bucket{le="4"} 1`,
	} {
		if !strings.Contains(w.Body.String(), "\n"+line+"\n") {
			t.Errorf("no line %q in\n%s", line, w.Body)
		}
	}
}

// TestThePageAsksThisServerAlone and is safe for names with markup.
func TestThePageAsksThisServerAlone(t *testing.T) {
	o := bounds
	o.Model = "<script>x</script>"
	w := httptest.NewRecorder()
	New(&echo{}, o).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if body := w.Body.String(); strings.Contains(body, "<script>x") || strings.Contains(body, "://") || !strings.Contains(body, "&lt;script&gt;x") {
		t.Errorf("%s", body)
	}
	if p := w.Header().Get("Content-Security-Policy"); !strings.Contains(p, "default-src 'none'") || !strings.Contains(p, "connect-src 'self'") {
		t.Errorf("policy %q", p)
	}
	var health map[string]string
	w = httptest.NewRecorder()
	New(&echo{}, bounds).ServeHTTP(w, httptest.NewRequest("GET", "/healthz", nil))
	if err := json.Unmarshal(w.Body.Bytes(), &health); err != nil || health["status"] != "ok" || health["model"] != "resnet20" || health["checkpoint"] != "runs/a" || health["precision"] != "bfloat16" {
		t.Errorf("%v, %v", health, err)
	}
}
