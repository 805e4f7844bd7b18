package report

import (
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"resnet/internal/eval"
)

// runFolder makes a run folder with hostile content.
func runFolder(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run<img src=x>")
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	metrics, err := os.ReadFile(metricsFile)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"metrics.csv": string(metrics),
		"config.yaml": "model: {name: resnet20}\ndata:\n\tdir: \"</pre><script>alert(1)</script>\x1b\"\n",
		"env.json":    `{"seed": 1, "command": ["resnet", "<b>train</b>"], "kernels": {"conv": "avx2"}, "cpu": "C\u001b[31mPU"}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func testReport(t *testing.T) (Report, string) {
	t.Helper()
	dir := runFolder(t)
	run, err := ReadRun(dir)
	if err != nil {
		t.Fatal(err)
	}
	measured := eval.Metrics{N: 10_000, Top1Error: 6.5, Loss: 0.31}
	table := eval.Table{Rows: []eval.Row{
		eval.NewRow("resnet110", "runs/a", "cifar10", 1_727_962, eval.Protocol{Views: 1, Height: 32, Width: 32}, measured),
		{Model: "<script>", Checkpoint: "javascript:alert(1)"},
	}}
	return Report{Title: "<title>", Notes: []string{"a <note>"}, Table: table, Runs: []Run{run}, Diagnosis: testDiagnosis(t)}, dir
}

func TestReportIsCompleteAndEscapesEverything(t *testing.T) {
	r, dir := testReport(t)
	if err := WriteReport(dir, r); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, ReportFile))
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	for _, want := range []string{
		"&lt;title&gt;", "a &lt;note&gt;", "resnet110", "6.43", "Table 6", "<svg", "run&lt;img src=x&gt;", "28.50", "0.01",
		"model: {name: resnet20}\ndata:\n    dir: ", "&lt;script&gt;alert(1)&lt;/script&gt;", "resnet &lt;b&gt;train&lt;/b&gt;", "avx2", "&lt;i&gt;shirt&lt;/i&gt;", "33.33",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not have %q", want)
		}
	}
	for _, bad := range []string{"<script>alert", "<img src=x", "<b>", "<i>", "\x1b", "<note>", "?xml"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	for _, name := range []string{CurvesSVG, CurvesPNG} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*.tmp-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestShadesOfTheConfusionMatrix(t *testing.T) {
	m := eval.Metrics{Confusion: [][]int{{989, 1, 10}, {0, 3, 3}, {0, 0, 0}}}
	want := [][]matrixCell{ // what is rare has a shade as well
		{{989, 9, true, "0 (0) taken for 0 (0): 989 of 1,000"}, {1, 1, false, "0 (0) taken for 1 (1): 1 of 1,000"}, {10, 1, false, "0 (0) taken for 2 (2): 10 of 1,000"}},
		{{0, 0, false, ""}, {3, 5, true, "1 (1) taken for 1 (1): 3 of 6"}, {3, 5, false, "1 (1) taken for 2 (2): 3 of 6"}},
		{{0, 0, false, ""}, {0, 0, false, ""}, {0, 0, true, ""}},
	}
	if d := cmp.Diff(want, shades(m.Classes(nil))); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestAReportThatCannotBeWrittenIsAnError(t *testing.T) {
	r, _ := testReport(t)
	if err := WriteReport(filepath.Join(t.TempDir(), "nowhere"), r); err == nil {
		t.Error("a folder that is not there: no error")
	}
}

func TestReportLoadsNothing(t *testing.T) {
	r, _ := testReport(t)
	var b strings.Builder
	if err := r.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	// Names of XML namespaces are no addresses to load.
	page := regexp.MustCompile(`xmlns(:xlink)?="[^"]*"|createElementNS\("[^"]*"`).ReplaceAllString(b.String(), "")
	if found := regexp.MustCompile(`(?i)https?:|\ssrc=["'][^d]|\ssrc=["']d[^a]|\shref=|url\(["']?[^#]|@import|<link|<iframe|<script[^>]*src|fetch\(`).FindString(page); found != "" {
		t.Errorf("the page has %q", found)
	}
	if !strings.Contains(page, "default-src 'none'") {
		t.Error("the page may load from elsewhere")
	}
}

func TestReportIsWellFormed(t *testing.T) {
	r, _ := testReport(t)
	var b strings.Builder
	if err := r.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	// A script is no markup.
	d := xml.NewDecoder(strings.NewReader(regexp.MustCompile(`(?s)<script[^>]*>.*?</script>`).ReplaceAllString(b.String(), "<script></script>")))
	d.Strict, d.AutoClose, d.Entity = false, []string{"meta", "img", "br"}, xml.HTMLEntity
	var open []string
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			open = append(open, e.Name.Local)
		case xml.EndElement:
			if last := open[len(open)-1]; last != e.Name.Local {
				t.Fatalf("</%s> closes <%s>", e.Name.Local, last)
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		t.Errorf("not closed: %v", open)
	}
}

func TestReportOfARunThatMeasuredNothingHasNoCurves(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "metrics.csv"), []byte(header), 0o666); err != nil {
		t.Fatal(err)
	}
	run, err := ReadRun(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteReport(dir, Report{Title: "empty", Runs: []Run{run}}); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(dir, ReportFile))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(page), "<svg") {
		t.Error("the page has a drawing")
	}
	if _, err := os.Stat(filepath.Join(dir, CurvesSVG)); err == nil {
		t.Error("curves.svg was written")
	}
}

func TestReadRun(t *testing.T) {
	run, err := ReadRun(runFolder(t))
	if err != nil {
		t.Fatal(err)
	}
	want := []Fact{{"command", "resnet <b>train</b>"}, {"cpu", "C\x1b[31mPU"}, {"kernels", `{"conv":"avx2"}`}, {"seed", "1"}}
	if d := cmp.Diff(want, run.Environment); d != "" {
		t.Errorf("environment (-want +got):\n%s", d)
	}
	if run.Name != "run<img src=x>" || len(run.History) != 4 || len(run.Series().Test) != 4 {
		t.Errorf("name %q, %d rows, series %v", run.Name, len(run.History), run.Series())
	}
	if !strings.HasPrefix(run.Config, "model: {name: resnet20}\n") {
		t.Errorf("configuration %q", run.Config)
	}
	bare := t.TempDir()
	for name, text := range map[string]string{"metrics.csv": header, "env.json": "{half"} {
		if err := os.WriteFile(filepath.Join(bare, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if run, err := ReadRun(bare); err != nil || run.Config != "" || len(run.Environment) != 1 || run.Environment[0] != (Fact{"env.json", "{half"}) {
		t.Errorf("half an env.json and no config.yaml: %+v (%v)", run, err)
	}
	if _, err := ReadRun(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder without metrics.csv: %v", err)
	}
}

func TestFilesOfARunThatAreFarTooLargeAreRefused(t *testing.T) {
	dir := runFolder(t)
	if err := os.Truncate(filepath.Join(dir, "config.yaml"), 1<<20+1); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadRun(dir); err == nil || !strings.Contains(err.Error(), "config.yaml") {
		t.Errorf("error %v, want one naming config.yaml", err)
	}
}
