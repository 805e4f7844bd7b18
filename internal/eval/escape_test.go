package eval

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// hostile are names that would do harm where they are shown as they are.
var hostile = []string{
	"\x1b[31mred", "a\nb", "a\rb", "a\tb", "\x00", "\x7f", "\u009b31m", "\u202egnp.exe", "\u2028", "bad\xff\xfe",
	"=HYPERLINK(\"http://x\")", "+1", "-1", "@SUM(A1)", "<script>alert(1)</script>", "a|b", "`x`", "\U000e0001tag",
}

func TestPrintableLeavesNothingThatCommandsATerminal(t *testing.T) {
	for _, s := range hostile {
		for _, r := range Printable(s) {
			if !unicode.IsPrint(r) {
				t.Errorf("Printable(%q) = %q has %U", s, Printable(s), r)
			}
		}
	}
	for s, want := range map[string]string{
		"\x1b[31m": `\x1b[31m`, "a\nb": `a\x0ab`, "bad\xff": `bad\xff`, "\u202e": `\u202e`,
		"Grüße 日本 ✓": "Grüße 日本 ✓", "plain text": "plain text", "": "",
	} {
		if got := Printable(s); got != want {
			t.Errorf("Printable(%q) = %q, want %q", s, got, want)
		}
	}
}

func TestCSVTextIsNoFormula(t *testing.T) {
	for _, s := range hostile {
		if got := CSVText(s); strings.ContainsAny(got[:1], "=+-@\t\r") {
			t.Errorf("CSVText(%q) = %q begins like a formula", s, got)
		}
	}
	if got := CSVText("=1+1"); got != "'=1+1" {
		t.Errorf("CSVText(=1+1) = %q", got)
	}
}

func TestMarkdownTextStaysInItsCell(t *testing.T) {
	for s, want := range map[string]string{"a|b": `a\|b`, "<b>": "&lt;b&gt;", "a\nb": `a\\x0ab`} {
		if got := MarkdownText(s); got != want {
			t.Errorf("MarkdownText(%q) = %q, want %q", s, got, want)
		}
	}
}

func TestJSONTextKeepsItsMeaningWithoutControlCharacters(t *testing.T) {
	for _, s := range hostile {
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		escaped := asciiControls(text)
		for _, r := range string(escaped) {
			if !unicode.IsPrint(r) {
				t.Errorf("%q: %q has %U", s, escaped, r)
			}
		}
		var got string
		if err := json.Unmarshal(escaped, &got); err != nil || utf8.ValidString(s) && got != s {
			t.Errorf("%q came back as %q (%v)", s, got, err)
		}
	}
}
