package config

import (
	"fmt"
	"strings"
	"testing"
)

func TestAnEmptyVariableIsNone(t *testing.T) {
	l, problems := load(t, "train: {batch: 7}\n", []string{"RESNET_TRAIN_BATCH=", "RESNET_TRAIN_SEDE="})
	if problems != nil || l.Train.Batch != 7 {
		t.Errorf("%v, problems %v", l, problems)
	}
}

func TestNumbersAreFiniteWithTheirPlace(t *testing.T) {
	for _, v := range []string{".inf", "-.inf", ".nan"} {
		_, problems := load(t, "train: {schedule: {rate: "+v+"}}\n", nil)
		if want := fmt.Sprintf("x.yaml:1:26: train.schedule.rate: takes a finite number, not %q", v); len(problems) != 1 || problems[0].String() != want {
			t.Errorf("%s: %v, want %s", v, problems, want)
		}
	}
}

func TestABadByteHasItsPlace(t *testing.T) {
	for text, want := range map[string]Place{"\xff": {1, 1}, "é\xff": {1, 2}, "a: 1\n\xff": {2, 1}, "a: 1\nb: r\xe9": {2, 5}} {
		if got := invalidUTF8([]byte(text)); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func TestOfManyProblemsTheFirstAreShown(t *testing.T) {
	for n, more := range map[int]string{50: "", 51: "and 1 more", 57: "and 7 more"} {
		lines := strings.Split((&Error{make([]Problem, n)}).Error(), "\n")
		if more == "" && len(lines) != 50 || more != "" && (len(lines) != 51 || lines[50] != more) {
			t.Errorf("%d problems: %d lines, the last %q, want %q", n, len(lines), lines[len(lines)-1], more)
		}
	}
}

func TestEverySectionIsChecked(t *testing.T) {
	for _, set := range []string{"model.depth=-1", "data.validation=-1", "speech.buckets=0", "train.batch=0", "eval.batch=0"} {
		key, _, _ := strings.Cut(set, "=")
		_, problems := load(t, "", nil, set)
		if len(problems) == 0 || !strings.HasPrefix(problems[0].String(), "--set "+set+": "+key+": ") {
			t.Errorf("%s: %v", set, problems)
		}
	}
}

func TestAKeyHasItsOwnDescription(t *testing.T) {
	for _, k := range Keys() {
		if got := Doc(k.Path); got != k.Doc || got == k.Path || got == "" {
			t.Errorf("%s: %q, want %q", k.Path, got, k.Doc)
		}
	}
	if got := Doc("train.bacth"); got != "" {
		t.Errorf("a key that is not there: %q", got)
	}
}
