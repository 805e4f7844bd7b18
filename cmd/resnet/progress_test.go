package main

import (
	"strings"
	"testing"
	"time"

	"resnet/internal/train"
)

func TestAMessageNamesItsRun(t *testing.T) {
	a, _, errw := testApp()
	p := &progress{a: a, label: "resnet20-seed1", now: time.Now}
	p.Message(train.Message{Text: "the warm-up has ended"})
	p.Message(train.Message{Text: "a record was not written", Warning: true})
	for _, want := range []string{"resnet20-seed1: the warm-up has ended\n", "warning: resnet20-seed1: a record was not written\n"} {
		if !strings.Contains(errw.String(), want) {
			t.Errorf("no %q in %q", want, errw)
		}
	}
}
