// Package text holds how values are written for people: what a terminal, a table cell or a JSON
// document may be shown, numbers, sizes, durations and shapes in words, paths for a shell, and the
// suggestion for a misspelt word. It knows none of our other packages.
package text
