package internal_test

import (
	"encoding/csv"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

var (
	heading = regexp.MustCompile("(?m)^#{1,6} (.*)$")
	link    = regexp.MustCompile(`\]\(([^)#:\s]*)(?:#([^)\s]+))?\)`)
	fenced  = regexp.MustCompile("(?ms)^```.*?^```")
)

// anchors are the places in a document that links may lead to, as forges name them.
func anchors(text string) map[string]bool {
	found := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		var b strings.Builder
		for _, r := range strings.ToLower(m[1]) {
			switch {
			case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_':
				b.WriteRune(r)
			case r == ' ':
				b.WriteByte('-')
			}
		}
		found[b.String()] = true
	}
	return found
}

func TestLinksBetweenDocumentsLeadSomewhere(t *testing.T) {
	documents := []string{"../README.md", "../CHANGELOG.md", "../SECURITY.md", "../CONTRIBUTING.md", "../CODE_OF_CONDUCT.md"}
	err := filepath.WalkDir("../docs", func(path string, d fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".md" {
			documents = append(documents, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, doc := range documents {
		text := read(t, doc)
		for _, m := range link.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
			checked++
			target := doc
			if m[1] != "" {
				target = filepath.Join(filepath.Dir(doc), m[1])
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: %v", doc, err)
			} else if m[2] != "" && filepath.Ext(target) == ".md" && !anchors(read(t, target))[m[2]] {
				t.Errorf("%s: %s has no heading #%s", doc, target, m[2])
			}
		}
	}
	if checked < 150 {
		t.Errorf("only %d links found", checked)
	}
}

// TestEveryPageIsInTheIndex: docs/README.md leads to every page beside it.
func TestEveryPageIsInTheIndex(t *testing.T) {
	index := read(t, "../docs/README.md")
	pages, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	tutorials, err := filepath.Glob("../docs/tutorials/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(pages, tutorials...) {
		name, _ := filepath.Rel("../docs", page)
		if name != "README.md" && !strings.Contains(index, "("+filepath.ToSlash(name)) {
			t.Errorf("docs/README.md does not lead to %s", name)
		}
	}
}

// TestThePictureOfThePackagesIsOfTheirImports: it is drawn from what go list says.
func TestThePictureOfThePackagesIsOfTheirImports(t *testing.T) {
	c := exec.Command("go", "run", "./testdata/house")
	c.Dir = ".."
	drawn, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	if string(drawn) != read(t, "../docs/house.svg") {
		t.Error("the imports are others than in docs/house.svg: go run ./testdata/house > docs/house.svg")
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
