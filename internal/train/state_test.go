package train

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func TestAStateThatContradictsItselfIsRefused(t *testing.T) {
	good, err := State{Step: 4, Evaluated: 2, Best: &Best{Step: 2, ValError: 12.5}}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if s, err := ParseState(good); err != nil || s.Step != 4 || s.Best == nil || s.Best.ValError != 12.5 {
		t.Fatalf("%+v, %v", s, err)
	}
	for name, change := range map[string][2]string{
		"a step below 0":              {`"step":4`, `"step":-4`},
		"an evaluation of the future": {`"evaluated":2`, `"evaluated":5`},
		"a row without a cell":        {`"skipped":`, `"rows":[["2"],[]],"skipped":`},
		"no format":                   {`"format":`, `"formed":`},
		"text for a number":           {`"step":4`, `"step":"4"`},
		"a number out of range":       {`"step":4`, `"step":1e40`},
	} {
		bad := strings.Replace(string(good), change[0], change[1], 1)
		if bad == string(good) {
			t.Fatalf("%s: %q is not in %s", name, change[0], good)
		}
		if _, err := ParseState([]byte(bad)); err == nil || !strings.Contains(err.Error(), "training state") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// FuzzState: whatever the bytes, a state that is accepted has counts that agree, and is written and
// read again without a change.
func FuzzState(f *testing.F) {
	for _, s := range []State{{}, {Step: 4, Evaluated: 2, Best: &Best{Step: 2, ValError: 12.5}, Rows: [][]string{{"2", "0.5"}}}} {
		b, err := s.Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"format":99}`))
	f.Add([]byte(`{"format":1,"step":-1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ParseState(b)
		if err != nil {
			return
		}
		if s.Step < 0 || s.Evaluated < 0 || s.Evaluated > s.Step || s.Batches < 0 {
			t.Fatalf("%+v", s)
		}
		text, err := s.Encode()
		if err != nil || !json.Valid(text) {
			t.Fatalf("%s, %v", text, err)
		}
		again, err := ParseState(text)
		text2, _ := again.Encode()
		if err != nil || !reflect.DeepEqual(text, text2) {
			t.Fatalf("%s is written again as %s, %v", text, text2, err)
		}
	})
}
