package serve

import (
	_ "embed"
	"html/template"
	"net/http"
)

//go:embed page.html.tmpl
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// page is where a picture is dropped. It asks this server alone, which its policy enforces.
func (s *Server) page(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src blob:; connect-src 'self'")
	h.Set("X-Content-Type-Options", "nosniff")
	_ = pageTemplate.Execute(w, s.o) // who has gone reads no page
}
