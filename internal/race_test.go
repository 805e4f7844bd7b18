package internal_test

import (
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestEveryPackageThatStartsGoroutinesIsRunUnderTheRaceDetector compares the packages with the list
// of make test-race.
func TestEveryPackageThatStartsGoroutinesIsRunUnderTheRaceDetector(t *testing.T) {
	m := regexp.MustCompile(`(?m)^CONCURRENT := (.*)$`).FindStringSubmatch(read(t, "../Makefile"))
	if m == nil {
		t.Fatal("the Makefile has no CONCURRENT")
	}
	var listed, found []string
	for _, p := range strings.Fields(m[1]) {
		listed = append(listed, strings.TrimPrefix(p, "./"))
	}
	for file, tree := range sources(t) {
		ast.Inspect(tree, func(n ast.Node) bool {
			_, starts := n.(*ast.GoStmt)
			if call, ok := n.(*ast.CallExpr); ok { // sync.WaitGroup.Go and the like
				s, ok := call.Fun.(*ast.SelectorExpr)
				starts = ok && s.Sel.Name == "Go"
			}
			if starts {
				found = append(found, path.Dir(file))
			}
			return true
		})
	}
	slices.Sort(listed)
	slices.Sort(found)
	if found = slices.Compact(found); !slices.Equal(listed, found) {
		t.Errorf("make test-race runs\n%q, and goroutines are started in\n%q", listed, found)
	}
}
