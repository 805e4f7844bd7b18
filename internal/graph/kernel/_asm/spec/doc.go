// Package spec holds what the kernels of every instruction set agree on: where the fields of their
// argument structs are and the matrices of Winograd's transforms.
package spec

import "strings"

// Wrap breaks text into lines of at most so many bytes.
func Wrap(text string, width int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
