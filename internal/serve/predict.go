package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"strconv"
	"time"

	"resnet/internal/eval"
)

// answer is what is said of an image, with the keys of `predict`.
type answer struct {
	Image string       `json:"image,omitempty"` // the name of its file, where the form has one
	Top   []eval.Guess `json:"top,omitempty"`
	Error string       `json:"error,omitempty"`
}

// answers is what is said of a form.
type answers struct {
	Model      string   `json:"model"`
	Checkpoint string   `json:"checkpoint"`
	Protocol   string   `json:"protocol"`
	Precision  string   `json:"precision"`
	Images     []answer `json:"images"`
}

// failure is an error with the status that it is answered with.
type failure struct {
	status int
	text   string
}

func (f *failure) Error() string { return f.text }

func refused(status int, format string, args ...any) error {
	return &failure{status, fmt.Sprintf(format, args...)}
}

// maxFiles is how many images a form may have.
const maxFiles = 256

// predict answers with the classes of an image, or of the files of a form.
func (s *Server) predict(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	code, doc := s.work(w, r)
	s.metrics.requests.WithLabelValues(strconv.Itoa(code)).Inc()
	s.metrics.seconds.Observe(time.Since(start).Seconds())
	s.answer(w, code, doc)
}

func (s *Server) work(w http.ResponseWriter, r *http.Request) (code int, doc any) {
	select {
	case s.waiting <- struct{}{}:
		s.metrics.waiting.Inc()
		defer func() {
			s.metrics.waiting.Dec()
			<-s.waiting
		}()
	default:
		w.Header().Set("Retry-After", "1")
		return failed(refused(http.StatusTooManyRequests, "%d requests are being worked on: ask again", s.o.MaxWaiting))
	}
	top, err := s.top(r)
	if err != nil {
		return failed(err)
	}
	kind, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind == "multipart/form-data" {
		return s.form(w, r, params["boundary"], top)
	}
	image, free, err := s.body(w, r.Body, r.ContentLength)
	defer free()
	if err != nil {
		return failed(err)
	}
	a, err := s.classify(r.Context(), image, "", top)
	if err != nil {
		return s.fault(err)
	}
	if a.Error != "" {
		return http.StatusBadRequest, a
	}
	return http.StatusOK, a
}

// form answers for each file of a form. One that is no image does not stop the others.
func (s *Server) form(w http.ResponseWriter, r *http.Request, boundary string, top int) (code int, doc any) {
	if boundary == "" {
		return failed(refused(http.StatusBadRequest, "a form without a boundary"))
	}
	body, free, err := s.body(w, r.Body, r.ContentLength)
	defer free()
	if err != nil {
		return failed(err)
	}
	files, err := filesOf(body, boundary)
	if err != nil {
		return failed(err)
	}
	all := answers{s.o.Model, s.o.Checkpoint, s.o.View, s.o.Precision, make([]answer, len(files))}
	errs := make(chan error, len(files))
	for i, f := range files {
		go func() {
			var err error
			all.Images[i], err = s.classify(r.Context(), f.data, f.name, top)
			errs <- err
		}()
	}
	for range files {
		if e := <-errs; e != nil {
			err = e
		}
	}
	if err != nil {
		return s.fault(err)
	}
	for _, a := range all.Images {
		if a.Error == "" {
			return http.StatusOK, all
		}
	}
	return http.StatusBadRequest, all
}

func (s *Server) classify(ctx context.Context, image []byte, name string, top int) (answer, error) {
	guesses, bad, err := s.c.Guesses(ctx, image, "image", top)
	if bad != nil {
		s.metrics.bad.Inc()
		return answer{Image: name, Error: bad.Error()}, nil
	}
	if err == nil {
		s.metrics.images.Inc()
	}
	return answer{Image: name, Top: guesses}, err
}

// top is how many classes a request asks for.
func (s *Server) top(r *http.Request) (int, error) {
	asked := r.URL.Query().Get("top")
	if asked == "" {
		return s.o.Top, nil
	}
	n, err := strconv.Atoi(asked)
	if err != nil || n < 1 {
		return 0, refused(http.StatusBadRequest, "top=%.20q: a whole number from 1", asked)
	}
	return n, nil
}

// body reads a body within the bounds. free gives back the bytes that were taken for it.
func (s *Server) body(w http.ResponseWriter, r io.Reader, length int64) (data []byte, free func(), err error) {
	free = func() {}
	if length > s.o.MaxBytes {
		return nil, free, refused(http.StatusRequestEntityTooLarge, "a body of %d bytes, and %d are read at most", length, s.o.MaxBytes)
	}
	if length == 0 {
		return nil, free, refused(http.StatusBadRequest, "an empty body: send the bytes of an image file")
	}
	if length < 0 { // not said before
		length = s.o.MaxBytes
	}
	if s.bytes.Add(length) > s.o.MaxMemory {
		s.bytes.Add(-length)
		w.Header().Set("Retry-After", "1")
		return nil, free, refused(http.StatusTooManyRequests, "the requests in hand fill the memory that is given to them: ask again")
	}
	free = func() { s.bytes.Add(-length) }
	data, err = io.ReadAll(io.LimitReader(r, s.o.MaxBytes+1))
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, free, refused(http.StatusRequestTimeout, "the body did not come within %v", s.o.Timeout)
	case err != nil:
		return nil, free, refused(http.StatusBadRequest, "the body ends early: %v", err)
	case int64(len(data)) > s.o.MaxBytes:
		return nil, free, refused(http.StatusRequestEntityTooLarge, "a body of more than %d bytes", s.o.MaxBytes)
	case len(data) == 0:
		return nil, free, refused(http.StatusBadRequest, "an empty body: send the bytes of an image file")
	}
	return data, free, nil
}

type file struct {
	name string
	data []byte
}

// filesOf takes the files out of a form. Other fields are left out.
func filesOf(body []byte, boundary string) ([]file, error) {
	var files []file
	parts := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		p, err := parts.NextPart()
		if err == io.EOF { //nolint:errorlint // the error of a form that breaks off wraps it
			break
		}
		if err != nil {
			return nil, refused(http.StatusBadRequest, "the form does not parse: %v", err)
		}
		if p.FileName() == "" {
			continue
		}
		if len(files) == maxFiles {
			return nil, refused(http.StatusBadRequest, "a form of more than %d files", maxFiles)
		}
		data, err := io.ReadAll(p)
		if err != nil {
			return nil, refused(http.StatusBadRequest, "the form does not parse: %v", err)
		}
		files = append(files, file{p.FileName(), data})
	}
	if len(files) == 0 {
		return nil, refused(http.StatusBadRequest, "a form without a file: curl -F image=@cat.jpg sends one")
	}
	return files, nil
}

// failed is the answer to an error of a request.
func failed(err error) (code int, doc any) {
	var f *failure
	errors.As(err, &f)
	return f.status, answer{Error: f.text}
}

// fault is the answer to an error that is not the request's.
func (s *Server) fault(err error) (code int, doc any) {
	code = http.StatusInternalServerError
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		code = statusGone // nobody reads it
	case errors.Is(err, eval.ErrClosed):
		code = http.StatusServiceUnavailable
	case s.o.Say != nil:
		s.o.Say(err.Error())
	}
	return code, answer{Error: err.Error()}
}

// statusGone is nginx's status for a client that has closed its connection.
const statusGone = 499

func (s *Server) answer(w http.ResponseWriter, code int, doc any) {
	data, err := json.Marshal(doc)
	if err != nil {
		code, data = http.StatusInternalServerError, []byte(`{"error":"the answer cannot be written"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	_, _ = w.Write(append(data, '\n')) // who has gone reads no answer
}
