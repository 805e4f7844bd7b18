package main

import (
	"bytes"
	"strings"
	"testing"

	"resnet/internal/text"
)

func TestMessagesDoNotCommandTheTerminal(t *testing.T) {
	for _, args := range [][]string{{"eval", "\x1b[2Jruns"}, {"predict", "\x1b[2Jruns", "x.png"}, {"train", "--config", "\x1b]0;title\a.yaml"}} {
		var out, errw bytes.Buffer
		if run(args, strings.NewReader(""), &out, &errw) == 0 {
			t.Errorf("%q succeeded", args)
		}
		if strings.ContainsAny(out.String()+errw.String(), "\x1b\a") {
			t.Errorf("%q: %q", args, errw.String())
		}
	}
	if got := text.PrintableLines("a\x1b[1m\nb\tc"); got != `a\x1b[1m`+"\n"+`b\x09c` {
		t.Errorf("%q", got)
	}
}
