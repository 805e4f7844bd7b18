package report

import (
	"slices"
	"strings"
	"testing"
)

// FuzzFacts: whatever env.json holds, the report shows all of it or each member once, by name.
func FuzzFacts(f *testing.F) {
	f.Add([]byte(`{"go":"go1","cores":2,"command":["resnet","train"],"kernels":{"all":"avx2"}}`))
	f.Add([]byte(`{"a":null,"b":[1,"x"],"c":[]}`))
	f.Add([]byte(`[1]`))
	f.Add([]byte(" "))
	f.Fuzz(func(t *testing.T, data []byte) {
		list := facts(data)
		if !slices.IsSortedFunc(list, func(a, b Fact) int { return strings.Compare(a.Name, b.Name) }) {
			t.Fatalf("%q: %+v", data, list)
		}
		if text := strings.TrimSpace(string(data)); len(list) == 0 && strings.Trim(text, "{} \t\r\n") != "" && text != "null" {
			t.Fatalf("%q is not shown", data)
		}
	})
}
