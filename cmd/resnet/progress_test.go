package main

import (
	"strings"
	"testing"

	"resnet/internal/train"
)

func TestAMessageNamesItsRun(t *testing.T) {
	a, _, errw := testApp()
	p := newProgress(a, "resnet20-seed1", 10, false)
	p.message(train.Message{Text: "the warm-up has ended"})
	p.message(train.Message{Text: "a record was not written", Warning: true})
	for _, want := range []string{"resnet20-seed1: the warm-up has ended\n", "warning: resnet20-seed1: a record was not written\n"} {
		if !strings.Contains(errw.String(), want) {
			t.Errorf("no %q in %q", want, errw)
		}
	}
}
