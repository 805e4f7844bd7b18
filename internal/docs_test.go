package internal_test

import (
	"encoding/csv"
	"fmt"
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
	for _, doc := range append(documents, "../README.md", "../CHANGELOG.md", "../SECURITY.md", "../CONTRIBUTING.md", "../CODE_OF_CONDUCT.md", "../docs/lesson/README.md") {
		for _, m := range regexp.MustCompile(`\]\(([^)#:]+)[^):]*\)`).FindAllStringSubmatch(read(t, doc), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(doc), m[1])); err != nil {
				t.Errorf("%s: %v", doc, err)
			}
		}
	}
}

// TestThePerformanceHistoryIsOfCommits: each row is a measurement of a commit, once.
func TestThePerformanceHistoryIsOfCommits(t *testing.T) {
	f, err := os.Open("../docs/performance.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	columns := map[string]*regexp.Regexp{
		"commit": regexp.MustCompile(`^[0-9a-f]{7,40}$`), "cpu": regexp.MustCompile(`\S`), "threads": regexp.MustCompile(`^[1-9]\d*$`),
		"kernels": regexp.MustCompile(`^(avx512|avx2|neon|generic)$`), "arch": regexp.MustCompile(`^[a-z]`), "mode": regexp.MustCompile(`^(train|infer)$`),
		"precision": regexp.MustCompile(`^(float32|bfloat16)$`), "batch": regexp.MustCompile(`^[1-9]\d*$`), "frames": regexp.MustCompile(`^([1-9]\d*)?$`),
		"speed": regexp.MustCompile(`^([1-9]\d*(\.\d+)?)?$`), "unit": regexp.MustCompile(`^(images|utterances)/s$`), "peak_rss_bytes": regexp.MustCompile(`^([1-9]\d*)?$`),
	}
	seen := map[string]bool{}
	for i, row := range rows[1:] {
		for k, name := range rows[0] {
			if columns[name] == nil || !columns[name].MatchString(row[k]) {
				t.Errorf("row %d: %s is %q", i+2, name, row[k])
			}
		}
		// A measurement that is repeated is added again; the same row is a slip.
		if all := strings.Join(row, ","); seen[all] {
			t.Errorf("row %d is there twice: %s", i+2, all)
		} else {
			seen[all] = true
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

// TestEveryFaultIsInjectedByATestThatExists reads docs/faults.md: every row of its tables names
// tests, each behind the folder of its package. The faults R1 to R32 have a row each, at least.
func TestEveryFaultIsInjectedByATestThatExists(t *testing.T) {
	row, named := regexp.MustCompile(`^\| \d+ \|`), regexp.MustCompile("`((?:internal|cmd|configs)[a-z/]*|Test[A-Za-z0-9]+)`")
	ids := regexp.MustCompile(`^ ((R\d+)(, R\d+)* )?$`)
	answered := map[string]bool{}
	for line := range strings.Lines(read(t, "../docs/faults.md")) {
		if !row.MatchString(line) {
			continue
		}
		cells := strings.Split(line, "|")
		if len(cells) != 7 {
			t.Errorf("a row of %d cells, want # | R | fault | what resnet does | injected by: %s", len(cells)-2, line)
			continue
		}
		if !ids.MatchString(cells[2]) {
			t.Errorf("fault%s: column R holds %q", cells[1], cells[2])
		}
		for id := range strings.SplitSeq(strings.TrimSpace(cells[2]), ", ") {
			answered[id] = true
		}
		pkg, tests := "", 0
		for _, m := range named.FindAllStringSubmatch(cells[5], -1) {
			name := m[1]
			if !strings.HasPrefix(name, "Test") {
				pkg = name
				continue
			}
			tests++
			if !strings.Contains(testsOf(t, pkg), "\nfunc "+name+"(t *testing.T)") {
				t.Errorf("fault%s: %s has no %s", cells[1], pkg, name)
			}
		}
		if tests == 0 {
			t.Errorf("fault%s has no test", cells[1])
		}
	}
	for r := 1; r <= 32; r++ {
		if id := fmt.Sprintf("R%d", r); !answered[id] {
			t.Errorf("docs/faults.md has no row for %s", id)
		}
	}
}

// testsOf is the text of a package's tests.
func testsOf(t *testing.T, pkg string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", pkg, "*_test.go"))
	if err != nil || pkg == "" || len(files) == 0 {
		t.Fatalf("%q: no tests (%v)", pkg, err)
	}
	var all strings.Builder
	for _, f := range files {
		all.WriteString(read(t, f))
	}
	return all.String()
}
