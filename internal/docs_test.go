package internal_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestLinksBetweenDocumentsLeadSomewhere(t *testing.T) {
	documents, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, doc := range append(documents, "../README.md", "../CHANGELOG.md") {
		for _, m := range regexp.MustCompile(`\]\(([^)#:]+)[^):]*\)`).FindAllStringSubmatch(read(t, doc), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(doc), m[1])); err != nil {
				t.Errorf("%s: %v", doc, err)
			}
		}
	}
}

func TestEveryDirectRequirementIsExplained(t *testing.T) {
	explained := read(t, "../docs/THIRD_PARTY.md")
	found := 0
	for line := range strings.Lines(read(t, "../go.mod")) {
		f := strings.Fields(line)
		if len(f) != 2 || !strings.HasPrefix(f[1], "v") { // an indirect one has a comment behind it
			continue
		}
		found++
		if !strings.Contains(explained, "| "+f[0]+" | "+f[1]+" |") {
			t.Errorf("docs/THIRD_PARTY.md does not list %s %s", f[0], f[1])
		}
	}
	if found == 0 {
		t.Fatal("no requirements found")
	}
}
