package text

import (
	"fmt"
	"slices"
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

// Fit joins parts by spaces. Where they are wider than room characters it leaves out those of the
// indexes in least, one after another, and then the first ones.
func Fit(parts []string, least []int, room int) string {
	left := slices.Clone(parts)
	for i := 0; ; i++ {
		line := strings.Join(slices.DeleteFunc(slices.Clone(left), func(s string) bool { return s == "" }), " ")
		if utf8.RuneCountInString(line) <= room || len(left) == 0 {
			return line
		}
		if i < len(least) {
			left[least[i]] = ""
		} else {
			left = left[1:]
		}
	}
}

// WrapLines wraps each line that is wider than width between words; what continues one is indented
// by two more columns.
func WrapLines(text string, width int) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if utf8.RuneCountInString(line) <= width {
			continue
		}
		indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
		first, rest, _ := strings.Cut(Wrap(line, width-len(indent)), "\n")
		lines[i] = indent + first
		if rest = strings.Join(strings.Fields(rest), " "); rest != "" {
			further := strings.Split(Wrap(rest, max(1, width-len(indent)-2)), "\n")
			lines[i] += "\n" + indent + "  " + strings.Join(further, "\n"+indent+"  ")
		}
	}
	return strings.Join(lines, "\n")
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
