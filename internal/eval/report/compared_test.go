package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"flag"
	"html"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"resnet/internal/eval"
)

var update = flag.Bool("update", false, "write the golden files anew")

// fixedRuns are plain and residual networks of two depths, one with two seeds and one diverged,
// whose curves are formulas.
func fixedRuns() []Compared {
	var runs []Compared
	add := func(name string, n Net, train, test float64) {
		n.Dataset, n.TestImages, n.Iterations, n.Batch, n.ImagesPerSecond = "cifar10", 10_000, 400, 128, 250.4
		var h History
		for k := 1; k <= 4 && !n.Diverged; k++ {
			v := func(x float64) *float64 { return &x }
			f := float64(k) / 4
			m := Measurement{
				Step: 100 * k, Epoch: v(f), Rate: v(0.1), TrainLoss: v(2 - f), TrainError: v(90 - (90-train)*f),
				TestLoss: v(2.1 - f), TestError: v(88 - (88-test)*f), TestTop5: v(50 - 49*f),
			}
			if n.Seed == 1 && n.Depth == 20 {
				m.TrainEvalError, m.TrainEvalLoss = v(train*f), v(1.5-f)
			}
			h = append(h, m)
		}
		for i := range n.Depth / 10 {
			n.Responses = append(n.Responses, eval.Response{Layer: "layer" + string(rune('1'+i)) + ".0.bn1", Std: 1 - 0.125*float64(i%3)})
		}
		runs = append(runs, Compared{Run{Name: name, Config: "model: {name: " + n.Model + "}\n", History: h}, n})
	}
	add("plain20-seed1", Net{Model: "plain20", Kind: KindPlain, Depth: 20, Seed: 1, Params: 269_722}, 17.125, 18.75)
	add("resnet20-seed1", Net{Model: "resnet20", Kind: KindResidual, Depth: 20, Seed: 1, Params: 269_722}, 14.25, 16.5)
	add("resnet20-seed2", Net{Model: "resnet20", Kind: KindResidual, Depth: 20, Seed: 2, Params: 269_722}, 14.75, 16.25)
	add("plain56-seed1", Net{Model: "plain56", Kind: KindPlain, Depth: 56, Seed: 1, Params: 853_018}, 50.5, 48.75)
	add("resnet56-seed1", Net{Model: "resnet56", Kind: KindResidual, Depth: 56, Seed: 1, Params: 853_018}, 10.5, 13.5)
	add("plain110-seed1", Net{Model: "plain110", Kind: KindPlain, Depth: 110, Seed: 1, Params: 1_727_962, Diverged: true}, 0, 0)
	return runs
}

func writeFixed(t *testing.T) (dir string, names []string) {
	t.Helper()
	dir = t.TempDir()
	names, err := WriteComparison(dir, NewComparison("Plain and residual networks on cifar10", "resnet compare plain-vs-residual", fixedRuns()))
	if err != nil {
		t.Fatal(err)
	}
	return dir, names
}

// TestFilesOfAComparison compares the files of fixed runs with testdata/golden; -update writes
// them. Look at what changed before it is committed.
func TestFilesOfAComparison(t *testing.T) {
	dir, names := writeFixed(t)
	want := []string{ReportFile, CurvesSVG, CurvesPNG, LossSVG, LossPNG, ResponsesSVG, ResponsesPNG, PointsFile, PointsJSON, ResponsesFile, TableFile}
	if d := cmp.Diff(want, names); d != "" {
		t.Errorf("files (-want +got):\n%s", d)
	}
	for _, name := range names {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
			continue
		}
		if strings.HasSuffix(name, ".png") { // compressors may differ; its lines are the SVG's
			img, err := png.Decode(bytes.NewReader(got))
			if err != nil {
				t.Errorf("%s: %v", name, err)
				// 2 pixels a point.
			} else if size := img.Bounds().Size(); size.X != 1720 || size.Y != 680 {
				t.Errorf("%s: %v pixels", name, size)
			}
			continue
		}
		if name == ReportFile {
			continue // its parts are compared one by one, and a browser reads it
		}
		golden := filepath.Join("testdata", "golden", name)
		if *update {
			if err := os.MkdirAll(filepath.Dir(golden), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(golden, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Errorf("%v: go test ./internal/eval/report -run TestFilesOfAComparison -update writes it", err)
			continue
		}
		if d := cmp.Diff(string(want), string(got)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

func TestAComparisonIsInTheFormOfThePapersTable6(t *testing.T) {
	dir, _ := writeFixed(t)
	b, err := os.ReadFile(filepath.Join(dir, TableFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| resnet20 | 20 | 269,722 | 0.27M | 2 | 14.50 ± 0.35 | - | 16.38 ± 0.18 | 16.25 | 8.75 | +7.50 | 0.93 | 250 |",
		"| resnet56 | 56 | 853,018 | 0.85M | 1 | 10.50 | - | 13.50 | 13.50 | 6.97 | +6.53 | 0.85 | 250 |",
		"| plain110 | 110 | 1,727,962 |  | 0 |  |  |  |  | - |  |  |  | 1 diverged |",
		// The paper has curves for plain networks, no figures.
		"| plain20 | 20 | 269,722 |  | 1 | 17.12 | 17.12 | 18.75 | 18.75 | - |",
		"The paper's errors are of trainings of 64,000 iterations of 128 images; resnet20 had 400 of 128.",
		"Plain networks degrade with depth (He et al. 2016, section 4.2, Fig. 1 and 6): reproduced. Training errors: plain20 17.12%, plain56 50.50% (33.38 points, noise 1.11).",
	} {
		if !strings.Contains(string(b), want) {
			t.Errorf("no %q in\n%s", want, b)
		}
	}
}

// hostileText is what a label, path or name may hold (markup, an escape sequence, a formula, a
// line break).
const hostileText = "=cmd|'/c calc'!A0</script><script>alert(1)</script>\x1b[2J\u202e\n|`x`"

func TestHostileNamesAreEscapedInEveryFile(t *testing.T) {
	runs := fixedRuns()[:2]
	for i := range runs {
		runs[i].Name, runs[i].Net.Model, runs[i].Net.Dataset = hostileText, hostileText, hostileText
		runs[i].Config = hostileText
		runs[i].Environment = []Fact{{hostileText, hostileText}}
		runs[i].Net.Responses = []eval.Response{{Layer: hostileText, Std: 1}}
	}
	dir := t.TempDir()
	c := NewComparison(hostileText, hostileText, runs)
	c.Findings = append(c.Findings, hostileText)
	names, err := WriteComparison(dir, c)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, ".png") {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		text := string(b)
		if strings.ContainsAny(text, "\x1b\u202e") {
			t.Errorf("%s: control characters came through", name)
		}
		if !strings.HasSuffix(name, ".csv") && !strings.HasSuffix(name, ".json") && strings.Contains(strings.Replace(text, "<script>\"use strict\"", "", 1), "<script>") {
			t.Errorf("%s: markup came through", name)
		}
		if strings.HasSuffix(name, ".csv") {
			rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			for _, row := range rows {
				for _, cell := range row {
					if cell != "" && strings.ContainsRune("=+@", rune(cell[0])) {
						t.Errorf("%s: a formula: %q", name, cell)
					}
				}
			}
		}
		if strings.HasSuffix(name, ".json") && !json.Valid(b) {
			t.Errorf("%s is no JSON", name)
		}
	}
	var terminal strings.Builder
	if err := c.WriteTable(&terminal); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(terminal.String(), "\x1b\u202e") || strings.Count(terminal.String(), "\n") != 1+len(c.Outcomes) {
		t.Errorf("the terminal's table has a command or a broken line:\n%q", terminal.String())
	}
}

func TestThePageOfAComparisonLoadsNothingAndAllowsItsOwnScriptAlone(t *testing.T) {
	dir, _ := writeFixed(t)
	b, err := os.ReadFile(filepath.Join(dir, ReportFile))
	if err != nil {
		t.Fatal(err)
	}
	page := strings.ReplaceAll(regexp.MustCompile(`xmlns(:xlink)?="[^"]*"`).ReplaceAllString(string(b), ""), `"http://www.w3.org/2000/svg"`, "")
	if found := regexp.MustCompile(`(?i)https?:|\ssrc=["']|\shref=|@import|<link|<iframe|fetch\(|XMLHttpRequest|import\(`).FindString(page); found != "" {
		t.Errorf("the page has %q", found)
	}
	if !regexp.MustCompile(`default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-[A-Za-z0-9+/]{43}='`).MatchString(html.UnescapeString(page)) {
		t.Error("the page may load from elsewhere, or run other scripts")
	}
	c := NewComparison("Plain and residual networks on cifar10", "resnet compare plain-vs-residual", fixedRuns())
	texts := slices.Concat([]string{c.Title, "<pre>" + c.Command + "</pre>", "model: {name: resnet56}"}, c.Notes)
	for _, claim := range c.Claims {
		texts = append(texts, "<strong>"+claim.Headline()+"</strong> "+claim.Figures())
	}
	for _, f := range c.Findings { // those that are no claim
		if !slices.ContainsFunc(c.Claims, func(claim Claim) bool { return claim.Sentence() == f }) {
			texts = append(texts, "<li>"+f)
		}
	}
	for _, text := range texts {
		if !strings.Contains(html.UnescapeString(page), text) {
			t.Errorf("the page does not have %q", text)
		}
	}
	script := regexp.MustCompile(`(?s)<script>(.*?)</script>`).FindStringSubmatch(string(b))
	sum := sha256.Sum256([]byte(script[1]))
	if !strings.Contains(html.UnescapeString(page), "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") {
		t.Error("the page's own script may not run")
	}
	if strings.Count(page, "<svg") < 3 {
		t.Error("there are no drawings without the script")
	}
	// The JSON that the script reads is what the figures are.
	m := regexp.MustCompile(`(?s)<script type="application/json" id="figures">(.*?)</script>`).FindStringSubmatch(page)
	if m == nil {
		t.Fatal("no figures")
	}
	var got []Figure
	if err := json.Unmarshal([]byte(m[1]), &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(NewComparison("", "", fixedRuns()).Figures(), got); d != "" {
		t.Errorf("figures (-want +got):\n%s", d)
	}
}

func TestAFileWithNothingToShowIsNotWritten(t *testing.T) {
	runs := []Compared{{Run{Name: "r", History: History{{Step: 10, TestError: ptr(5)}}}, Net{Model: "m"}}}
	dir := t.TempDir()
	names, err := WriteComparison(dir, NewComparison("t", "", runs))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{ReportFile, CurvesSVG, CurvesPNG, PointsFile, PointsJSON, TableFile}
	if d := cmp.Diff(want, names); d != "" {
		t.Errorf("files (-want +got):\n%s", d)
	}
	if left, _ := os.ReadDir(dir); len(left) != len(want) {
		t.Errorf("%d files in the folder, want %d", len(left), len(want))
	}
}

func TestALossThatIsNotFiniteIsLeftOut(t *testing.T) {
	runs := fixedRuns()[:1]
	inf := math.Inf(1)
	runs[0].History[3].TestLoss = &inf
	dir := t.TempDir()
	if _, err := WriteComparison(dir, NewComparison("t", "", runs)); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, PointsJSON))
	if err != nil {
		t.Fatal(err)
	}
	var points struct {
		Runs []struct {
			Seed   uint64
			Points []map[string]float64
		}
	}
	if err := json.Unmarshal(b, &points); err != nil {
		t.Fatal(err)
	}
	if p := points.Runs[0].Points; len(p) != 4 || p[2]["test_loss"] == 0 || p[3]["test_loss"] != 0 || p[3]["step"] != 400 || points.Runs[0].Seed != 1 {
		t.Errorf("points: %+v", points)
	}
}
