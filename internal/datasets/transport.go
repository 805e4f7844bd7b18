package datasets

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

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
	if err := t.remember(); err != nil {
		return 0, permanent(err)
	}
	return start, nil
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
	if total, err = strconv.ParseInt(size, 10, 64); err != nil || total <= first {
		return 0, 0, fmt.Errorf("content range %q", s)
	}
	return first, total, nil
}
