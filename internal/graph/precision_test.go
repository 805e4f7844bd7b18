package graph

import (
	"encoding/json"
	"testing"
)

func TestPrecisionsAreTheirNames(t *testing.T) {
	for p, name := range map[Precision]string{Float32: "float32", BFloat16: "bfloat16"} {
		if got, err := ParsePrecision(name); err != nil || got != p {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		b, err := json.Marshal(p)
		var back Precision
		if err == nil {
			err = json.Unmarshal(b, &back)
		}
		if err != nil || string(b) != `"`+name+`"` || back != p {
			t.Errorf("%s in JSON is %s, and back %v (%v)", name, b, back, err)
		}
	}
	if p, err := ParsePrecision(""); err != nil || p != Float32 {
		t.Errorf("nothing: %v, %v", p, err)
	}
	for _, name := range []string{"bf16", "Float32", "int8"} {
		var p Precision
		if err := json.Unmarshal([]byte(`"`+name+`"`), &p); err == nil {
			t.Errorf("%s is %v", name, p)
		}
	}
}
