package text

import (
	"strings"
	"testing"
)

func TestWrapKeepsWordsAndWidth(t *testing.T) {
	words := "one two three four five six seven"
	got := Wrap(words, 9)
	if want := "one two\nthree\nfour five\nsix seven"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := Wrap("Überlänge ab", 9); got != "Überlänge\nab" {
		t.Errorf("characters are counted, not bytes: %q", got)
	}
	if strings.ReplaceAll(got, "\n", " ") != words {
		t.Errorf("words changed: %q", got)
	}
}

func TestFitNeverFillsMoreThanItsRoom(t *testing.T) {
	parts := []string{"résnet20", "epoch 0.08", "loss 2.462"}
	for room, want := range map[int]string{30: "résnet20 epoch 0.08 loss 2.462", 29: "résnet20 loss 2.462", 19: "résnet20 loss 2.462", 18: "loss 2.462", 9: "", 0: "", -5: ""} {
		if got := Fit(parts, []int{1}, room); got != want {
			t.Errorf("%d columns: %q, want %q", room, got, want)
		}
	}
}

func TestLongLinesEndBetweenWords(t *testing.T) {
	got := WrapLines("short  line\n  one two three four\nunbreakable-word and\n", 12)
	if want := "short  line\n  one two\n    three\n    four\nunbreakable-word\n  and\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestAShellReadsAQuotedWordBack(t *testing.T) {
	for word, want := range map[string]string{"": "''", "runs/a-1_b.yaml": "runs/a-1_b.yaml", "my run": "'my run'", "it's": `'it'\''s'`, "$HOME": "'$HOME'", "a;b": "'a;b'", "a\x1b'\\ü\u202e": `$'a\033\'\\\303\274\342\200\256'`} {
		if got := ShellQuote(word); got != want {
			t.Errorf("ShellQuote(%q) = %s, want %s", word, got, want)
		}
	}
}
