package text

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Wrap breaks text between words into lines of at most width characters.
func Wrap(text string, width int) string {
	var b strings.Builder
	column := 0
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case column+1+n > width:
			b.WriteByte('\n')
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += n
	}
	return b.String()
}

// Fit joins parts by spaces and leaves out the last ones where they are wider than room characters.
func Fit(parts []string, room int) string {
	for n := len(parts); n > 0; n-- {
		if line := strings.Join(parts[:n], " "); utf8.RuneCountInString(line) <= room {
			return line
		}
	}
	return ""
}

// ShellQuote makes a word fit for pasting into a POSIX shell. What Printable would escape is in $”,
// in the escapes of POSIX 2024 and of the shells before it.
func ShellQuote(s string) string {
	if Printable(s) != s {
		var b strings.Builder
		for _, c := range []byte(s) {
			switch {
			case c == '\'' || c == '\\':
				b.WriteByte('\\')
				b.WriteByte(c)
			case c < ' ' || c > '~':
				fmt.Fprintf(&b, `\%03o`, c)
			default:
				b.WriteByte(c)
			}
		}
		return "$'" + b.String() + "'"
	}
	plain := s != ""
	for _, r := range s {
		plain = plain && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(`/.-_\:`, r))
	}
	if plain {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
