package datasets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

const (
	syncUnsupported = runtime.GOOS == "windows"
	maxBackoff      = 30 * time.Second
	// maxTries bounds all attempts, also those that bring a little each.
	maxTries = 200
	// stallBytes in FetchOptions.StallTimeout is the slowest that counts as alive.
	stallBytes = 16 << 10
)

// errPermanent marks what no further attempt would change; it does not show in the text.
var errPermanent = errors.New("permanent")

func permanent(err error) error { return &fault{errPermanent, err} }

// transfer is the download of one file: NAME.part grows beside NAME, and NAME.part.json remembers which version it is of.
type transfer struct {
	remote
	url    string
	path   string
	client *http.Client
	o      FetchOptions
	state  transferState
}

// transferState is what a later process needs to resume.
type transferState struct {
	URL   string `json:"url"`
	ETag  string `json:"etag,omitempty"` // a strong validator: ETag, or else Last-Modified
	Total int64  `json:"total,omitempty"`
}

// download fetches base+r.name to dir/r.name: by ranges, with retries, checked, synced and renamed.
func download(ctx context.Context, base string, r remote, dir string, o FetchOptions) error {
	if o.Attempts == 0 {
		o.Attempts = 6
	}
	if o.Backoff == 0 {
		o.Backoff = time.Second
	}
	if o.StallTimeout == 0 {
		o.StallTimeout = 30 * time.Second
	}
	t := &transfer{remote: r, url: base + r.name, path: filepath.Join(dir, r.name), o: o}
	u, err := url.Parse(t.url)
	if err != nil {
		return faultf(ErrConfig, "address %q: %w", t.url, err)
	}
	if err := t.checkScheme(u); err != nil {
		return err
	}
	t.client = t.newClient()
	t.recall()
	if err := t.run(ctx); err != nil {
		return err
	}
	return t.finish()
}

func (t *transfer) part() string { return t.path + ".part" }
func (t *transfer) note() string { return t.path + ".part.json" }

// checkScheme refuses what is neither https nor http that a digest or the user vouches for.
func (t *transfer) checkScheme(u *url.URL) error {
	switch {
	case u.Scheme == "https":
		return nil
	case u.Scheme == "http" && (t.o.AllowHTTP || t.pinned()):
		return nil
	}
	return permanent(faultf(ErrFetch, "address %q: only https is allowed", u.Redacted()))
}

func (t *transfer) newClient() *http.Client {
	c := http.Client{}
	if t.o.Client != nil {
		c = *t.o.Client
	} else {
		tr := http.DefaultTransport.(*http.Transport).Clone()
		tr.ResponseHeaderTimeout = t.o.StallTimeout
		tr.DialContext = (&net.Dialer{Timeout: t.o.StallTimeout}).DialContext
		c.Transport = tr
	}
	c.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if len(via) >= 10 {
			return permanent(faultf(ErrFetch, "10 redirects"))
		}
		if err := t.checkScheme(req.URL); err != nil {
			return err
		}
		if from := via[len(via)-1].URL; from.Scheme == "https" && req.URL.Scheme == "http" && !t.o.AllowHTTP {
			return permanent(faultf(ErrFetch, "redirect from %s to plain http", from.Redacted()))
		}
		return nil
	}
	return &c
}

// recall reads what an earlier, interrupted download left. A part of another address is not trusted.
func (t *transfer) recall() {
	text, err := os.ReadFile(t.note())
	if err == nil && json.Unmarshal(text, &t.state) == nil && t.state.URL == t.url {
		return
	}
	t.state = transferState{URL: t.url}
	os.Remove(t.part())
}

func (t *transfer) remember() error {
	text, err := json.Marshal(t.state)
	if err != nil {
		return err
	}
	return os.WriteFile(t.note(), text, 0o644)
}

// run attempts until the part is whole and right.
func (t *transfer) run(ctx context.Context) error {
	fruitless, restarted := 0, false
	var last error
	for range maxTries {
		got, err := t.attempt(ctx)
		if err == nil {
			if err = checkDigests(ctx, t.part(), t.remote); err == nil {
				return nil
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			// Nothing of it can be trusted. Once, it may have been the resuming that spoilt it.
			t.discard()
			if restarted {
				return faultf(ErrData, "%s: %w", t.url, err)
			}
			restarted, last = true, err
			continue
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errPermanent):
			return fmt.Errorf("%s: %w", t.url, err)
		case got > 0:
			fruitless = 0
		default:
			fruitless++
		}
		last = err
		if fruitless >= t.o.Attempts {
			break
		}
		if err := pause(ctx, t.o.Backoff, fruitless); err != nil {
			return err
		}
	}
	return faultf(ErrFetch, "%s: %d attempts in a row brought nothing: %w; what has arrived is kept, and the next fetch goes on from there", t.url, t.o.Attempts, last)
}

// pause waits backoff·2^(n−1), at most maxBackoff.
func pause(ctx context.Context, backoff time.Duration, n int) error {
	for range n - 1 {
		backoff = min(2*backoff, maxBackoff)
	}
	timer := time.NewTimer(min(backoff, maxBackoff))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t *transfer) discard() {
	os.Remove(t.part())
	os.Remove(t.note())
	t.state = transferState{URL: t.url}
}

// attempt makes one request and appends what it brings; got is the number of new bytes, 0 after a stall. A nil error means
// that the part is complete.
func (t *transfer) attempt(ctx context.Context) (got int64, err error) {
	f, err := os.OpenFile(t.part(), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return 0, permanent(err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	have, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, permanent(err)
	}
	if total := t.total(); total > 0 && have == total {
		return 0, nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(t.o.StallTimeout, func() {
		cancel(fmt.Errorf("stalled: less than %d bytes in %v", stallBytes, t.o.StallTimeout))
	})
	defer watch.Stop()
	resp, err := t.request(ctx, have)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause // says more than "context canceled"
		}
		return 0, err
	}
	defer resp.Body.Close()
	start, err := t.accept(resp, have)
	if err != nil {
		return 0, err
	}
	if err := t.rewind(f, start); err != nil {
		return 0, permanent(err)
	}
	got, err = t.receive(f, resp.Body, start, watch)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return 0, cause
		}
		return got, err
	}
	if total := t.total(); total > 0 && start+got != total {
		return got, fmt.Errorf("the connection ended at byte %d of %d", start+got, total)
	}
	return got, nil
}

// total is the file's size: pinned, or else as the server says; 0 if neither is known.
func (t *transfer) total() int64 {
	if t.size > 0 {
		return t.size
	}
	return t.state.Total
}

// limit is the most that a file may have.
func (t *transfer) limit() int64 {
	if t.size > 0 {
		return t.size
	}
	return maxContents
}

func (t *transfer) request(ctx context.Context, have int64) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.url, nil)
	if err != nil {
		return nil, err
	}
	// Ranges count bytes of the file: no compression on the way.
	req.Header.Set("Accept-Encoding", "identity")
	if have > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
		if t.state.ETag != "" {
			req.Header.Set("If-Range", t.state.ETag)
		}
	}
	return t.client.Do(req)
}

// accept judges a response and returns where in the file its body starts.
func (t *transfer) accept(resp *http.Response, have int64) (start int64, err error) {
	var total int64
	switch code := resp.StatusCode; {
	case code == http.StatusOK:
		total = max(resp.ContentLength, 0)
	case code == http.StatusPartialContent:
		if start, total, err = parseContentRange(resp.Header.Get("Content-Range")); err != nil || start != have {
			t.discard()
			return 0, fmt.Errorf("the server sent %q for a range from byte %d: starting over", resp.Header.Get("Content-Range"), have)
		}
	case code == http.StatusRequestedRangeNotSatisfiable:
		t.discard()
		return 0, errors.New("the server has no such range: starting over")
	case code >= 500 || code == http.StatusTooManyRequests || code == http.StatusRequestTimeout:
		return 0, errors.New(resp.Status)
	default:
		return 0, permanent(faultf(ErrFetch, "%s", resp.Status))
	}
	validator := strongValidator(resp.Header)
	if start > 0 && (t.state.ETag != "" && validator != "" && validator != t.state.ETag || t.state.Total > 0 && total > 0 && total != t.state.Total) {
		t.discard()
		return 0, errors.New("the file on the server has changed: starting over")
	}
	if t.size > 0 && total > 0 && total != t.size {
		return 0, fmt.Errorf("the server offers %d bytes, want %d: not the file that was pinned", total, t.size)
	}
	if total > t.limit() {
		return 0, permanent(faultf(ErrData, "the server offers %d bytes, and %d at most are taken", total, t.limit()))
	}
	t.state.ETag, t.state.Total = validator, total
	return start, t.remember()
}

// rewind drops what is in the part from byte start on.
func (t *transfer) rewind(f *os.File, start int64) error {
	if err := f.Truncate(start); err != nil {
		return err
	}
	_, err := f.Seek(start, io.SeekStart)
	return err
}

// receive copies the body to the end of the part.
func (t *transfer) receive(f *os.File, body io.Reader, start int64, watch *time.Timer) (got int64, err error) {
	buf := make([]byte, 64<<10)
	counted := int64(0)
	for {
		n, err := body.Read(buf)
		if n > 0 {
			if start+got+int64(n) > t.limit() {
				t.discard()
				return 0, permanent(faultf(ErrData, "the server sends more than %d bytes", t.limit()))
			}
			if _, err := f.Write(buf[:n]); err != nil {
				return got, permanent(err)
			}
			got += int64(n)
			if got-counted >= stallBytes {
				counted = got
				watch.Reset(t.o.StallTimeout)
			}
			if t.o.Progress != nil {
				t.o.Progress(Progress{File: t.name, Done: start + got, Total: t.total()})
			}
		}
		if errors.Is(err, io.EOF) {
			return got, nil
		}
		if err != nil {
			return got, err
		}
	}
}

// finish puts the checked part in its place.
func (t *transfer) finish() error {
	f, err := os.OpenFile(t.part(), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(t.part(), t.path); err != nil {
		return err
	}
	os.Remove(t.note())
	return syncDir(filepath.Dir(t.path))
}

// strongValidator is what If-Range may carry: an ETag that is not weak, or else the date.
func strongValidator(h http.Header) string {
	if tag := h.Get("ETag"); tag != "" && !strings.HasPrefix(tag, "W/") {
		return tag
	}
	return h.Get("Last-Modified")
}

// parseContentRange reads "bytes FIRST-LAST/TOTAL"; a total of "*" is 0.
func parseContentRange(s string) (first, total int64, err error) {
	rest, ok := strings.CutPrefix(s, "bytes ")
	span, size, slash := strings.Cut(rest, "/")
	from, _, dash := strings.Cut(span, "-")
	if !ok || !slash || !dash {
		return 0, 0, fmt.Errorf("content range %q", s)
	}
	if first, err = strconv.ParseInt(from, 10, 64); err != nil || first < 0 {
		return 0, 0, fmt.Errorf("content range %q", s)
	}
	if size == "*" {
		return first, 0, nil
	}
	total, err = strconv.ParseInt(size, 10, 64)
	return first, total, err
}
