package eval

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func ptr(x float64) *float64 { return &x }

var testTable = Table{Rows: []Row{
	NewRow("resnet110", "runs/a", "cifar10", 1_727_962, Protocol{Views: 1, Height: 32, Width: 32}, Metrics{N: 10_000, Top1Error: 6.5, Top5Error: ptr(0.25), Loss: 0.31}),
	NewRow("plain20", "runs/b", "cifar10", 269_722, Protocol{Views: 1, Height: 32, Width: 32}, Metrics{N: 10_000, Top1Error: 9.123, Top5Error: ptr(0.5), Loss: 1.25}),
}}

func TestRowsHaveExactlyTheKeysOfTheContract(t *testing.T) {
	var b strings.Builder
	if err := testTable.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	var doc map[string][]map[string]any
	if err := json.Unmarshal([]byte(b.String()), &doc); err != nil {
		t.Fatal(err)
	}
	want := []string{"model", "checkpoint", "n", "top1_error", "top5_error", "loss", "params", "protocol", "paper", "precision"}
	slices.Sort(want)
	for _, row := range doc["rows"] {
		var keys []string
		for k := range row {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		if d := cmp.Diff(want, keys); d != "" {
			t.Errorf("keys (-want +got):\n%s", d)
		}
	}
	if doc["rows"][0]["paper"] != 6.43 || doc["rows"][1]["paper"] != nil {
		t.Errorf("paper: %v and %v, want 6.43 and null", doc["rows"][0]["paper"], doc["rows"][1]["paper"])
	}
	b.Reset()
	if err := (Table{}).WriteJSON(&b); err != nil || !strings.Contains(b.String(), "[]") {
		t.Errorf("no rows: %q, %v; want an empty list", b.String(), err)
	}
}

func TestTextTable(t *testing.T) {
	var b strings.Builder
	if err := testTable.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	want := `model      checkpoint  images  top-1 error %  top-5 error %    loss  parameters  protocol       paper's top-1 %
resnet110  runs/a      10,000           6.50           0.25  0.3100   1,727,962  1 view, 32x32             6.43
plain20    runs/b      10,000           9.12           0.50  1.2500     269,722  1 view, 32x32                -
paper: resnet110, He et al. 2016, Table 6: the best of 5 runs, mean 6.61, standard deviation 0.16
`
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestTextTableLeavesOutColumnsWithoutValues(t *testing.T) {
	var b strings.Builder
	table := Table{Rows: []Row{NewRow("resnet20", "", "mnist", 1, Protocol{Views: 1, Height: 28, Width: 28}, Metrics{N: 3})}}
	if err := table.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	for _, title := range []string{"paper", "top-5", "checkpoint"} {
		if strings.Contains(b.String(), title) {
			t.Errorf("%q stands over an empty column:\n%s", title, b.String())
		}
	}
}

func TestMarkdownTable(t *testing.T) {
	var b strings.Builder
	if err := testTable.WriteMarkdown(&b); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(b.String(), "\n")
	if want := "| resnet110 | runs/a | 10,000 | 6.50 | 0.25 | 0.3100 | 1,727,962 | 1 view, 32x32 | 6.43 |"; lines[2] != want {
		t.Errorf("line 3: %q, want %q", lines[2], want)
	}
	if want := "|---|---|---:|---:|---:|---:|---:|---|---:|"; lines[1] != want {
		t.Errorf("line 2: %q, want %q", lines[1], want)
	}
}

func TestTablesEscapeNames(t *testing.T) {
	table := Table{Rows: []Row{{Model: "a\x1b[31m|<b>", Checkpoint: "x\ny"}}}
	var text, md, js strings.Builder
	for _, err := range []error{table.WriteText(&text), table.WriteMarkdown(&md), table.WriteJSON(&js)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if strings.Contains(text.String()+md.String()+js.String(), "\x1b") {
		t.Error("an escape character came through")
	}
	if n := strings.Count(text.String(), "\n"); n != 2 {
		t.Errorf("the text table has %d lines, want 2:\n%s", n, text.String())
	}
	if strings.Contains(md.String(), "<b>") || !strings.Contains(md.String(), `\|`) {
		t.Errorf("markup came through:\n%s", md.String())
	}
}
