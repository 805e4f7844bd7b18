package serve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"resnet/internal/eval"
	"resnet/internal/text"
)

// A Classifier tells what is on images, to many callers at once. bad is why an image has no
// classes, and err what is wrong besides.
type Classifier interface {
	Guesses(ctx context.Context, image []byte, name string, top int) (guesses []eval.Guess, bad, err error)
}

// Options bound what requests may take, and say what is served.
type Options struct {
	Model, Checkpoint, View, Precision string // for the answers

	Top        int           // classes of an answer, unless the request asks for another number
	MaxBytes   int64         // of a request's body
	MaxMemory  int64         // bytes of all bodies together
	MaxWaiting int           // requests worked on at a time
	Timeout    time.Duration // for a request's body to come, and for its answer to be taken
	// Say is told what the server could not answer, a line each. It may be nil.
	Say func(line string)
}

// Server is the handler of all paths.
type Server struct {
	c       Classifier
	o       Options
	mux     *http.ServeMux
	metrics *metrics
	waiting chan struct{} // holds one for each request in hand
	bytes   atomic.Int64  // of their bodies
	ending  atomic.Bool
}

// CheckAddress fails for what is no address and port.
func CheckAddress(address string) error {
	if _, _, err := net.SplitHostPort(address); err != nil {
		return fmt.Errorf("%s: an address and a port, as 127.0.0.1:8080", text.Printable(address))
	}
	return nil
}

// Listener is a port that is taken.
type Listener = net.Listener

// Listen takes a port of TCP, for Serve.
func Listen(address string) (Listener, error) { return net.Listen("tcp", address) }

// New makes a Server of c.
func New(c Classifier, o Options) *Server {
	s := &Server{c: c, o: o, mux: http.NewServeMux(), metrics: newMetrics(), waiting: make(chan struct{}, o.MaxWaiting)}
	s.mux.HandleFunc("POST /predict", s.predict)
	s.mux.HandleFunc("GET /healthz", s.health)
	s.mux.Handle("GET /metrics", s.metrics.handler())
	s.mux.HandleFunc("GET /{$}", s.page)
	return s
}

// Computed tells the metrics how many images were computed together.
func (s *Server) Computed(images int) { s.metrics.batch.Observe(float64(images)) }

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// headerTimeout is for the lines before a body, and idleTimeout for a connection between requests.
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	headerBytes   = 64 << 10
)

// Serve answers on l until ctx is done; then it finishes the requests in hand, for grace at most.
// It fails as l does, and with context.DeadlineExceeded when some were cut off.
func (s *Server) Serve(ctx context.Context, l net.Listener, grace time.Duration) error {
	h := &http.Server{
		Handler: s, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: headerBytes,
		// Time for the computing besides that for the answer to be taken.
		ReadTimeout: s.o.Timeout, WriteTimeout: 2*s.o.Timeout + grace,
	}
	return until(ctx, h, l, grace, func() { s.ending.Store(true) })
}

// until lets h answer on l until ctx is done; then, told by ending, it finishes the requests in
// hand, for grace at most. It fails as Server.Serve does.
func until(ctx context.Context, h *http.Server, l net.Listener, grace time.Duration, ending func()) error {
	ended := make(chan error, 1)
	go func() { ended <- h.Serve(l) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	ending()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	err := h.Shutdown(last)
	if err != nil {
		err = errors.Join(err, h.Close())
	}
	if e := <-ended; !errors.Is(e, http.ErrServerClosed) {
		err = errors.Join(err, e)
	}
	return err
}

func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	status, code := "ok", http.StatusOK
	if s.ending.Load() {
		status, code = "ending", http.StatusServiceUnavailable
	}
	s.answer(w, code, map[string]string{"status": status, "model": s.o.Model, "checkpoint": s.o.Checkpoint, "precision": s.o.Precision})
}
