package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// A Live serves a page that grows: what is published reaches whoever has it open, as server-sent
// events of the newest values, several times a second at most. It makes nothing while nobody
// looks, so that publishing costs no more than keeping a value.
//
//	GET /         the page
//	GET /events   the events, until it ends
type Live struct {
	page   func(w io.Writer) error
	server *http.Server
	ended  chan error
	last   time.Duration // see liveLast

	mu      sync.Mutex
	values  map[string]published
	readers int           // of events
	fresh   int           // how often the page was sent since End
	ending  chan struct{} // closed by End
	sent    chan struct{} // is told of each page that was sent
}

type published struct {
	version int
	value   func() any
}

// Bounds of a Live.
const (
	liveReaders  = 32
	liveInterval = 200 * time.Millisecond
	liveTimeout  = 10 * time.Second // for a reader to take what is sent
	// liveLast is how long End waits for the readers to come for the last page.
	liveLast = 2 * time.Second
)

// livePolicy is that of the pages of trainings, which ask for what is new.
const livePolicy = lessonPolicy + "; connect-src 'self'"

// NewLive starts to answer on l. page writes the page as it is now; it is called by several
// goroutines.
func NewLive(l net.Listener, page func(w io.Writer) error) *Live {
	s := &Live{page: page, values: map[string]published{}, ending: make(chan struct{}), sent: make(chan struct{}, 1), ended: make(chan error, 1), last: liveLast}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.root)
	mux.HandleFunc("GET /events", s.events)
	handler := http.Handler(mux)
	if a, ok := l.Addr().(*net.TCPAddr); ok && a.IP.IsLoopback() {
		handler = thisMachine(mux)
	}
	s.server = &http.Server{Handler: handler, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: headerBytes}
	go func() { s.ended <- s.server.Serve(l) }()
	return s
}

// Publish sets the newest value of an event. value makes what is sent, as JSON, when it is sent: on
// another goroutine, perhaps several times, perhaps never.
func (s *Live) Publish(event string, value func() any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values[event] = published{s.values[event].version + 1, value}
}

// End tells the readers that the page is whole, lets them fetch it once more, and stops.
func (s *Live) End() error {
	s.mu.Lock()
	readers := s.readers
	close(s.ending)
	s.mu.Unlock()
	late := time.After(s.last)
wait:
	for s.fetched() < readers {
		select {
		case <-s.sent:
		case <-late:
			break wait
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.last)
	defer cancel()
	err := s.server.Shutdown(ctx)
	if err != nil {
		err = s.server.Close()
	}
	if e := <-s.ended; !errors.Is(e, http.ErrServerClosed) {
		err = errors.Join(err, e)
	}
	return err
}

func (s *Live) fetched() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fresh
}

func (s *Live) root(w http.ResponseWriter, _ *http.Request) {
	ending := s.isEnding()
	var b bytes.Buffer
	if err := s.page(&b); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(liveTimeout))
	writePage(w, livePolicy, b.Bytes())
	if !ending {
		return
	}
	s.mu.Lock()
	s.fresh++
	s.mu.Unlock()
	select {
	case s.sent <- struct{}{}:
	default:
	}
}

func (s *Live) isEnding() bool {
	select {
	case <-s.ending:
		return true
	default:
		return false
	}
}

// enter counts a reader of events, unless there are too many or it ends.
func (s *Live) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.readers == liveReaders || s.isEnding() {
		return false
	}
	s.readers++
	return true
}

func (s *Live) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.isEnding() {
		s.readers--
	}
}

func (s *Live) events(w http.ResponseWriter, r *http.Request) {
	if !s.enter() {
		http.Error(w, "too many readers", http.StatusServiceUnavailable)
		return
	}
	defer s.leave()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	out := http.NewResponseController(w)
	seen := map[string]int{}
	tick := time.NewTicker(liveInterval)
	defer tick.Stop()
	for quiet := 0; ; quiet++ {
		last := s.isEnding()
		text, err := s.changes(seen)
		if err != nil {
			return
		}
		if last {
			text = append(text, "event: end\ndata: {}\n\n"...)
		}
		if text == nil && quiet > int(time.Minute/liveInterval) {
			text = []byte(": still here\n\n") // so that one who has gone is noticed
		}
		if text != nil {
			quiet = 0
			_ = out.SetWriteDeadline(time.Now().Add(liveTimeout))
			if _, err := w.Write(text); err != nil {
				return
			}
			if err := out.Flush(); err != nil {
				return
			}
		}
		if last {
			return
		}
		select {
		case <-tick.C:
		case <-s.ending:
		case <-r.Context().Done():
			return
		}
	}
}

// changes are the events that a reader has not seen the newest values of, in the form in which they
// are sent.
func (s *Live) changes(seen map[string]int) ([]byte, error) {
	s.mu.Lock()
	fresh := map[string]published{}
	for event, p := range s.values {
		if p.version != seen[event] {
			seen[event], fresh[event] = p.version, p
		}
	}
	s.mu.Unlock()
	var text []byte
	for event, p := range fresh {
		data, err := json.Marshal(p.value()) // without line ends
		if err != nil {
			return nil, fmt.Errorf("event %s: %w", event, err)
		}
		text = fmt.Appendf(text, "event: %s\ndata: %s\n\n", event, data)
	}
	return text, nil
}
