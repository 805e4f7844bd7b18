package internal_test

import (
	"go/ast"
	"path"
	"path/filepath"
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

// TestEveryTestThatIsLeftOutExists looks for the tests that the Makefile leaves out somewhere: a
// pattern that stays when its test is renamed leaves nothing out, or another.
func TestEveryTestThatIsLeftOutExists(t *testing.T) {
	var names []string
	for _, pattern := range []string{"../*_test.go", "../cmd/*/*_test.go", "*/*_test.go", "*/*/*_test.go", "*/*/*/*_test.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			for _, m := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)`).FindAllStringSubmatch(read(t, file), -1) {
				names = append(names, m[1])
			}
		}
	}
	n := 0
	for _, list := range regexp.MustCompile(`(?m)^(?:SEQUENTIAL|ATTENDING|PORTABLE) := (.*)$`).FindAllStringSubmatch(read(t, "../Makefile"), -1) {
		for pattern := range strings.SplitSeq(strings.TrimPrefix(list[1], "$(SEQUENTIAL)|"), "|") {
			n++
			if name, _, _ := strings.Cut(pattern, "/"); !slices.ContainsFunc(names, regexp.MustCompile(name).MatchString) {
				t.Errorf("no test matches %q", pattern)
			}
		}
	}
	if n < 50 || len(names) < 500 {
		t.Errorf("%d patterns and %d tests are found", n, len(names))
	}
}
