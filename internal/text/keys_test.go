package text

import (
	"slices"
	"testing"
)

func TestAKeyIsAsShortAsItMayBe(t *testing.T) {
	for _, c := range []struct{ keys, want []string }{
		{nil, nil},
		{[]string{"train.schedule.rate"}, []string{"rate"}},
		{[]string{"train.batch", "eval.batch"}, []string{"train.batch", "eval.batch"}},
		{[]string{"train.schedule.rate", "train.schedule.warmup.rate", "data.dir"}, []string{"schedule.rate", "warmup.rate", "dir"}},
		// "erate" ends in "rate" and is another part.
		{[]string{"a.rate", "a.erate"}, []string{"rate", "erate"}},
		{[]string{"seed"}, []string{"seed"}},
		{[]string{"a.b", "a.b"}, []string{"b", "b"}},
	} {
		if got := ShortKeys(c.keys); !slices.Equal(got, c.want) {
			t.Errorf("%v: %v, want %v", c.keys, got, c.want)
		}
	}
}
