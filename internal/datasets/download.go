package datasets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"resnet/internal/atomicfile"
)

const (
	maxBackoff = 30 * time.Second
	// maxTries bounds all attempts, also those that bring a little each.
	maxTries = 200
	// stallBytes in FetchOptions.StallTimeout is the slowest that counts as alive.
	stallBytes = 16 << 10
)

// errPermanent marks what no further attempt would change; it does not show in the text.
var errPermanent = errors.New("permanent")

func permanent(err error) error { return faultf(errPermanent, "%w", err) }

// transfer is the download of one file: NAME.part grows beside NAME, and NAME.part.json remembers
// which version it is of.
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
	if o.fs == nil {
		o.fs = atomicfile.OS
	}
	path, err := o.fs.Resolve(filepath.Join(dir, r.name))
	if err != nil {
		return atomicfile.Error(fmt.Errorf("write %s: %w", filepath.Join(dir, r.name), err))
	}
	t := &transfer{remote: r, url: base + r.name, path: path, o: o}
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
		if st, statErr := os.Stat(t.part()); statErr == nil && st.Size() == 0 {
			t.discard()
		}
		return err
	}
	return t.finish()
}

const (
	partSuffix = ".part"
	noteSuffix = ".part.json"
	// fetchKind is what the temporary names of notes say (see atomicfile).
	fetchKind = "fetch"
)

func (t *transfer) part() string { return t.path + partSuffix }
func (t *transfer) note() string { return t.path + noteSuffix }

// discardPart removes what an interrupted download has left beside a file that is there.
func discardPart(fsys atomicfile.FS, path string) {
	if path, err := fsys.Resolve(path); err == nil {
		_ = fsys.Remove(path + partSuffix) // mostly there is none
		_ = fsys.Remove(path + noteSuffix)
	}
}

// recall reads what an earlier, interrupted download left. A part of another address is not
// trusted, nor is a note that no server's answer has led to: a header that cannot be sent would
// fail every attempt.
func (t *transfer) recall() {
	text, err := atomicfile.ReadFile(t.o.fs, t.note())
	if err == nil && json.Unmarshal(text, &t.state) == nil && t.state.URL == t.url &&
		t.state.Total >= 0 && t.state.Total <= t.limit() && !strings.ContainsFunc(t.state.ETag, unicode.IsControl) {
		return
	}
	t.discard()
}

func (t *transfer) remember() error {
	text, err := json.Marshal(t.state)
	if err != nil {
		return err
	}
	return atomicfile.WriteFile(t.o.fs, t.note(), fetchKind, text)
}

// run attempts until the part is whole and right.
func (t *transfer) run(ctx context.Context) error {
	fruitless, restarted := 0, false
	furthest := int64(0) // bytes that an attempt has reached; less than that is no progress
	var last error
	for range maxTries {
		end, err := t.attempt(ctx)
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
		case end > furthest:
			furthest, fruitless = end, 0
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
	// What stays is told by its size or digest.
	_ = t.o.fs.Remove(t.part())
	_ = t.o.fs.Remove(t.note())
	t.state = transferState{URL: t.url}
}

// attempt makes one request and appends what it brings; end is how far into the file that went, 0
// if it brought nothing or stalled. A nil error means that the part is complete.
func (t *transfer) attempt(ctx context.Context) (end int64, err error) {
	f, err := t.o.fs.Append(t.part(), atomicfile.Perm)
	if err != nil {
		return 0, permanent(atomicfile.Error(err))
	}
	defer func() {
		if e := f.Close(); e != nil {
			err = permanent(errors.Join(err, atomicfile.Error(e)))
		}
	}()
	have, err := f.Size()
	if err != nil {
		return 0, permanent(atomicfile.Error(err))
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
	if err := f.Truncate(start); err != nil {
		return 0, permanent(atomicfile.Error(err))
	}
	got, err := t.receive(f, resp.Body, start, watch)
	end = start + got
	if total := t.total(); err == nil && total > 0 && end != total {
		err = fmt.Errorf("the connection ended at byte %d of %d", end, total)
	}
	// What the server answers to a connection that is cut may come before the cut does.
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return 0, cause
	}
	return end, err
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

// receive copies the body to the end of the part.
func (t *transfer) receive(f io.Writer, body io.Reader, start int64, watch *time.Timer) (got int64, err error) {
	buf := make([]byte, 64<<10)
	counted := int64(0)
	for {
		n, err := body.Read(buf)
		if n > 0 {
			if start+got+int64(n) > t.limit() {
				t.discard()
				return 0, permanent(faultf(ErrData, "the server sends more than %d bytes", t.limit()))
			}
			k, err := f.Write(buf[:n])
			if err == nil && k < n {
				err = fmt.Errorf("%s: %w", t.part(), io.ErrShortWrite)
			}
			if err != nil {
				return got, permanent(atomicfile.Error(err))
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
	fsys := t.o.fs
	f, err := fsys.Append(t.part(), atomicfile.Perm)
	if err == nil {
		err = errors.Join(f.Sync(), f.Close())
	}
	if err == nil {
		err = fsys.Rename(t.part(), t.path)
	}
	if err == nil {
		_ = fsys.Remove(t.note()) // a note without a part means nothing
		err = fsys.SyncDir(filepath.Dir(t.path))
	}
	if err != nil {
		return atomicfile.Error(fmt.Errorf("write %s: %w", t.path, err))
	}
	return nil
}
