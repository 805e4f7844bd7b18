package serve

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// A Teacher makes the pages of the lesson when they are asked for.
type Teacher interface {
	// Lesson writes the page: with the visitor's own figures where own is set and there are any.
	Lesson(w io.Writer, own bool) error
	// Report is the page of one of the visitor's trainings; false where there is no such one.
	Report(run string) (page []byte, ok bool)
}

// The addresses of the lesson: with the figures of the program, with the visitor's own, and of a
// training's report.
const (
	LessonPath    = "/"
	OwnLessonPath = "/own"
	reportPath    = "/report"
)

// ReportLink is the address of a training's report.
func ReportLink(run string) string { return reportPath + "?run=" + url.QueryEscape(run) }

// lessonPolicy lets pages draw themselves and load nothing. The pages' own policies are stricter.
const lessonPolicy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// lessonHandler serves a lesson to this machine.
func lessonHandler(t Teacher) http.Handler {
	mux := http.NewServeMux()
	lesson := func(own bool) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			var page bytes.Buffer
			if err := t.Lesson(&page, own); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			writePage(w, lessonPolicy, page.Bytes())
		}
	}
	mux.HandleFunc("GET "+LessonPath+"{$}", lesson(false))
	mux.HandleFunc("GET "+OwnLessonPath, lesson(true))
	mux.HandleFunc("GET "+reportPath, func(w http.ResponseWriter, r *http.Request) {
		page, ok := t.Report(r.URL.Query().Get("run"))
		if !ok {
			http.Error(w, "no such training, or it has no report yet", http.StatusNotFound)
			return
		}
		writePage(w, lessonPolicy, page)
	})
	// Browsers ask for it.
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	return thisMachine(mux)
}

// lessonTimeout is for the lines of a request, and for its page to be made and taken.
const lessonTimeout = time.Minute

// ListenHere takes a port of this machine that others cannot reach. Port 0 is a free one.
func ListenHere(port int) (net.Listener, error) {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", fmt.Sprint(port)))
	if err != nil {
		return nil, fmt.Errorf("%w: another program may have the port: choose another with --port, 0 takes a free one", err)
	}
	return l, nil
}

// ServeLesson answers on l until ctx is done: see Server.Serve.
func ServeLesson(ctx context.Context, t Teacher, l net.Listener, grace time.Duration) error {
	h := &http.Server{
		Handler: lessonHandler(t), ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: headerBytes,
		ReadTimeout: headerTimeout, WriteTimeout: lessonTimeout + grace,
	}
	return until(ctx, h, l, grace, func() {})
}
