// Package lesson holds the figures of the lesson on residual networks, which `make lesson` measures
// and the program carries with it. index.html is the page that it makes of them.
package lesson

import _ "embed"

// Measured is the JSON form of a report.Lesson.
//
//go:embed measured.json
var Measured []byte
