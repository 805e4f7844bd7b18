package eval

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"resnet/internal/blocks"
)

// figures of he2016, tables 2 to 6, as they are printed.
var printed = map[int]string{
	2: "27.94 28.54 27.88 25.03",
	3: "28.07/9.33 -/9.15 24.27/7.38 28.54/10.02 25.03/7.76 24.52/7.46 24.19/7.40 22.85/6.71 21.75/6.05 21.43/5.71",
	4: "-/8.43 -/7.89 24.40/7.10 21.59/5.71 21.99/5.81 21.84/5.71 21.53/5.60 20.74/5.25 19.87/4.60 19.38/4.49",
	5: "-/7.32 -/6.66 -/6.80 -/4.94 -/4.82 -/3.57",
	6: "9.38 8.81 8.22 8.39 7.54 8.80 8.75 7.51 7.17 6.97 6.43 7.93",
}

func TestTablesHoldWhatThePaperPrints(t *testing.T) {
	for number, want := range printed {
		table, err := LookupTable(number)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, l := range table.Lines {
			s := ErrorText(l.Top1)
			if l.Top5 != nil {
				s += "/" + ErrorText(l.Top5)
			}
			got = append(got, s)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("table %d: %s, want %s", number, got, want)
		}
	}
	var params []string
	for _, l := range paperTables[4].Lines {
		params = append(params, cmp.Or(l.Params, "-"))
	}
	if got, want := strings.Join(params, " "), "- - - 2.5M 2.3M 1.25M 0.27M 0.46M 0.66M 0.85M 1.7M 19.4M"; got != want {
		t.Errorf("table 6, #params: %s, want %s", got, want)
	}
	for _, number := range []int{1, 7} {
		if _, err := LookupTable(number); err == nil {
			t.Errorf("table %d is one of errors", number)
		}
	}
}

// TestPrintedCountsAreTheRows: each row of ours has as many parameters as the paper prints, to its
// digits, and only a network with exactly the row's stands beside them.
func TestPrintedCountsAreTheRows(t *testing.T) {
	n := 0
	for _, l := range paperTables[4].Lines {
		if l.Arch == "" {
			continue
		}
		s, err := blocks.Lookup(l.Arch)
		if err != nil {
			t.Fatal(err)
		}
		_, decimals, _ := strings.Cut(strings.TrimSuffix(l.Params, "M"), ".")
		if got := strconv.FormatFloat(float64(s.Params)/1e6, 'f', len(decimals), 64) + "M"; got != l.Params {
			t.Errorf("%s: %d parameters are %s, and the paper prints %s", l.Arch, s.Params, got, l.Params)
		}
		if got := PaperParams(l.Arch, s.Params); got != l.Params {
			t.Errorf("%s: %q, want %q", l.Arch, got, l.Params)
		}
		if got := PaperParams(l.Arch, s.Params-288); got != "" { // of grey images
			t.Errorf("%s with other channels: %q", l.Arch, got)
		}
		n++
	}
	if n != 6 {
		t.Errorf("%d rows of ours in Table 6, want 6", n)
	}
	for _, arch := range []string{"plain20", "resnet50", "mine"} {
		if got := PaperParams(arch, 269_722); got != "" {
			t.Errorf("%s: %q, and the paper prints none", arch, got)
		}
	}
}

func TestATableSaysHowItLookedAtImages(t *testing.T) {
	for number, want := range map[int]string{2: CropsTen, 3: CropsTen, 4: CropsFull, 5: CropsFull, 6: CropsOne} {
		table, err := LookupTable(number)
		if err != nil {
			t.Fatal(err)
		}
		if table.Crops() != want || table.Number != number || table.Name() != "Table "+string(rune('0'+number)) {
			t.Errorf("%s: %s, want table %d and %s", table.Name(), table.Crops(), number, want)
		}
	}
}

func measuredRow(model, dataset string, n int, p Protocol) Measured {
	return Measured{
		Row:     Row{Model: model, Checkpoint: "runs/" + model, N: n, Top1Error: 12.345, Top5Error: ptr(3.21), Protocol: p.String()},
		Dataset: dataset, Protocol: p, Standard: true,
	}
}

func TestRowsStandBesideTheirLinesWithWhatDiffers(t *testing.T) {
	limited := protocol10Crop
	limited.Limit = 500
	logits := protocol10Crop
	logits.Combine = CombineLogits
	other := measuredRow("resnet34a", "imagenet", 50_000, protocol10Crop)
	other.Standard = false
	rows := []Measured{
		measuredRow("resnet50", "imagenet", 50_000, protocol10Crop),
		measuredRow("resnet50v1.5", "imagenet", 50_000, protocol10Crop),
		measuredRow("resnet101", "imagenet", 500, limited),
		measuredRow("resnet152", "folder", 84, logits),
		other,
		measuredRow("resnet18", "imagenet", 50_000, protocol10Crop),
		{Row: Row{Model: "ensemble of 2", N: 50_000}, Dataset: "imagenet", Protocol: protocol10Crop, Ensemble: true},
	}
	table, err := LookupTable(3)
	if err != nil {
		t.Fatal(err)
	}
	b := table.Compare(rows)
	if len(b.Rows) != len(rows) || b.Rows[0].Model != "resnet50" || b.Rows[6].Model != "ensemble of 2" {
		t.Errorf("rows as without a table: %+v", b.Rows)
	}
	differences := map[string]string{}
	for _, l := range b.Lines {
		for _, r := range l.Ours {
			differences[l.Model+" "+r.Model] = strings.Join(r.Differences, "; ")
			if r.SameProtocol != (len(r.Differences) == 0) {
				t.Errorf("%s: same protocol %v, and differences %q", r.Model, r.SameProtocol, r.Differences)
			}
		}
	}
	for line, says := range map[string][]string{
		"ResNet-50 resnet50":     nil,
		"ResNet-50 resnet50v1.5": {"strides in the 3x3"},
		"ResNet-101 resnet101":   {"500 of 50,000 images"},
		"ResNet-152 resnet152":   {"84 images of folder", "logits averaged; the paper with 10 views, 224x224 of shorter side 256, softmax averaged"},
		"ResNet-34 A resnet34a":  {"differs from the table of architectures"},
	} {
		got, ok := differences[line]
		if !ok || (len(says) == 0) != (got == "") {
			t.Errorf("%s: %q", line, got)
		}
		for _, s := range says {
			if !strings.Contains(got, s) {
				t.Errorf("%s: %q does not say %q", line, got, s)
			}
		}
	}
	table6, err := LookupTable(6)
	if err != nil {
		t.Fatal(err)
	}
	const other6 = "measured on 10,000 images of cifar10 (converted copy), the paper on 10,000 of cifar10"
	copied := table6.Compare([]Measured{measuredRow("resnet20", "cifar10 (converted copy)", 10_000, protocolCIFAR)})
	i := slices.IndexFunc(copied.Lines, func(l PaperComparisonLine) bool { return len(l.Ours) == 1 })
	if i < 0 || copied.Lines[i].Ours[0].SameProtocol || !slices.Equal(copied.Lines[i].Ours[0].Differences, []string{other6}) {
		t.Errorf("a converted copy: %+v", copied.Lines)
	}
	if v := Paper("resnet20", "cifar10 (converted copy)", protocolCIFAR, 10_000); v != nil {
		t.Errorf("a converted copy beside the paper's %v", v)
	}
	if len(differences) != 5 || len(b.Others) != 2 || b.Others[0].Model != "resnet18" {
		t.Errorf("%d rows in lines and %d others, want 5 and 2", len(differences), len(b.Others))
	}
	ensembles, err := LookupTable(5)
	if err != nil {
		t.Fatal(err)
	}
	b = ensembles.Compare(rows)
	for _, l := range b.Lines[:5] {
		if len(l.Ours) > 0 {
			t.Errorf("our ensemble beside that of others: %+v", l)
		}
	}
	if got := strings.Join(b.Lines[5].Ours[0].Differences, "; "); strings.Contains(got, "table of architectures") {
		t.Errorf("an ensemble is no network of a name: %q", got)
	}
	if ours := b.Lines[5].Ours; len(ours) != 1 || ours[0].SameProtocol || !strings.Contains(strings.Join(ours[0].Differences, ";"), "labels are not public") {
		t.Errorf("our ensemble beside the paper's: %+v", b.Lines[5])
	}
	if len(b.Others) != 6 {
		t.Errorf("%d single networks in the table of ensembles' rest, want 6", len(b.Others))
	}
}

func TestATableOfThePaperInText(t *testing.T) {
	table, err := LookupTable(6)
	if err != nil {
		t.Fatal(err)
	}
	hostile := measuredRow("resnet20", "cifar10", 10_000, protocolCIFAR)
	hostile.Row.Checkpoint, hostile.Row.Params = "runs/\x1b[2J|<b>", 269_722
	b := table.Compare([]Measured{hostile, measuredRow("plain20", "cifar10", 10_000, protocolCIFAR)})
	var text, md, doc bytes.Buffer
	if err := b.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	if err := b.WriteMarkdown(&md); err != nil {
		t.Fatal(err)
	}
	if err := b.WriteJSON(&doc); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Table 6", "ResNet, 20 layers", "0.27M     269,722", "8.75", "12.35", `runs/\x1b[2J`, "1 view, 32x32", "mean 6.61, standard deviation 0.16", "plain20"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the text has no %q:\n%s", want, text.String())
		}
	}
	if strings.Contains(text.String()+md.String()+doc.String(), "\x1b") || strings.Contains(md.String(), "<b>") {
		t.Error("a hostile name comes through")
	}
	if !strings.Contains(md.String(), "| ResNet, 110 layers | 1.7M |  | 6.43 |") {
		t.Errorf("Markdown:\n%s", md.String())
	}
	var back PaperComparison
	if err := json.Unmarshal(doc.Bytes(), &back); err != nil || back.Number != 6 || len(back.Lines) != 12 {
		t.Errorf("JSON: %v, %d lines", err, len(back.Lines))
	}
	i := slices.IndexFunc(back.Lines, func(l PaperComparisonLine) bool { return l.Model == "ResNet, 20 layers" })
	if len(back.Lines[i].Ours) != 1 || !back.Lines[i].Ours[0].SameProtocol {
		t.Errorf("JSON: %+v", back.Lines[i])
	}
}

// TestNotesAreNumberedAndSharedByLines: what two rows have in common has one number.
func TestNotesAreNumberedAndSharedByLines(t *testing.T) {
	table, err := LookupTable(2)
	if err != nil {
		t.Fatal(err)
	}
	limited := protocol10Crop
	limited.Limit = 500
	other := measuredRow("resnet34a", "imagenet", 500, limited)
	other.Standard = false
	var text strings.Builder
	if err := table.Compare([]Measured{measuredRow("plain34", "imagenet", 500, limited), other, measuredRow("vgg19", "imagenet", 500, limited)}).WriteText(&text); err != nil {
		t.Fatal(err)
	}
	want := `He et al. 2016, arXiv:1512.03385, Table 2: Top-1 error (%, 10-crop testing) on ImageNet validation. Here the ResNets have no extra parameter compared to their plain counterparts

network            paper's top-1 %  our top-1 %  our top-5 %  images  checkpoint      notes
plain, 18 layers             27.94                                                    
plain, 34 layers             28.54        12.35         3.21     500  runs/plain34    1
ResNet, 18 layers            27.88                                                    
ResNet, 34 layers            25.03        12.35         3.21     500  runs/resnet34a  2,1
vgg19                            -        12.35         3.21     500  runs/vgg19      3

The paper's protocol: 10 views, 224x224 of shorter side 256, softmax averaged, 50,000 images.
[1] measured on 500 of 50,000 images
[2] not the network of that name: its description differs from the table of architectures
[3] the table has no line for it
`
	if d := gocmp.Diff(want, text.String()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestALineThatThePaperQuotesIsNotItsProtocol(t *testing.T) {
	table, err := LookupTable(3)
	if err != nil {
		t.Fatal(err)
	}
	beside := table.Compare([]Measured{measuredRow("prelu-net-c", "imagenet", 50_000, protocol10Crop)})
	i := slices.IndexFunc(beside.Lines, func(l PaperComparisonLine) bool { return len(l.Ours) == 1 })
	if i < 0 {
		t.Fatal("the row stands beside no line")
	}
	if r := beside.Lines[i].Ours[0]; r.SameProtocol || len(r.Differences) != 1 || !strings.Contains(r.Differences[0], "quotes He et al. 2015") {
		t.Errorf("%s: %v, %q: want the one difference that the paper quotes it", beside.Lines[i].Model, r.SameProtocol, r.Differences)
	}
}

func TestBaselinesStandBesideTheLinesOfTheirNames(t *testing.T) {
	for _, c := range []struct {
		table       int
		model, line string
		says        string
	}{
		{3, "vgg16", "VGG-16 [41]", ""},
		{3, "vgg16bn", "VGG-16 [41]", "batch normalisation"},
		{3, "googlenet", "GoogLeNet [44]", "quotes Szegedy"},
		{3, "googlenet-bn", "GoogLeNet [44]", "3x3 convolutions for 5x5"},
		{3, "prelu-net-a", "PReLU-net [13]", "model A"},
		{4, "vgg19", "VGG [41] (v5)", "quotes Simonyan"},
		{4, "vgg16", "VGG [41] (v5)", "configuration D"},
		{4, "prelu-net-c", "PReLU-net [13]", "quotes He et al. 2015"},
		{4, "bn-inception", "BN-inception [16]", "quotes Ioffe"},
	} {
		table, err := LookupTable(c.table)
		if err != nil {
			t.Fatal(err)
		}
		row := measuredRow(c.model, "imagenet", 50_000, table.Protocol)
		for _, l := range table.Compare([]Measured{row}).Lines {
			if (len(l.Ours) == 1) != (l.Model == c.line) {
				t.Errorf("Table %d: %s has %d rows beside %s", c.table, c.model, len(l.Ours), l.Model)
			} else if l.Model == c.line && !strings.Contains(strings.Join(l.Ours[0].Differences, "; "), c.says) {
				t.Errorf("Table %d: %s differs by %q, want %q", c.table, c.model, l.Ours[0].Differences, c.says)
			}
		}
	}
}

// TestACommonNoteHasOneNumber: the cells of three rows, two of which differ in the same way.
func TestACommonNoteHasOneNumber(t *testing.T) {
	row := func(top1 float64, top5 *float64, n int, checkpoint string, differences ...string) PaperComparisonRow {
		return PaperComparisonRow{Row: Row{Checkpoint: checkpoint, Top1Error: top1, Top5Error: top5, N: n}, Differences: differences}
	}
	b := PaperComparison{Lines: []PaperComparisonLine{
		{Model: "x", Top1: ptr(1.5), Top5: ptr(0.5), Ours: []PaperComparisonRow{row(2, ptr(0.25), 1000, "a", "fewer", "other views")}},
		{Model: "y", Note: "remark", Top1: ptr(3.0), Ours: []PaperComparisonRow{row(4, nil, 2000, "b", "fewer"), row(5, nil, 3, "c")}},
		{Model: "z"},
	}}
	cols, notes := b.columns(func(s string) string { return s })
	got := map[string][]string{}
	for _, c := range cols {
		got[c.Title] = c.Cells
	}
	want := map[string][]string{
		"network": {"x", "y", "y", "z"}, "paper's top-1 %": {"1.50", "3.00", "3.00", "-"}, "paper's top-5 %": {"0.50", "-", "-", "-"},
		"our top-1 %": {"2.00", "4.00", "5.00", ""}, "our top-5 %": {"0.25", "-", "-", ""}, "images": {"1,000", "2,000", "3", ""},
		"checkpoint": {"a", "b", "c", ""}, "notes": {"1,2", "3,1", "3", ""},
	}
	if d := gocmp.Diff(want, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if !slices.Equal(notes, []string{"fewer", "other views", "remark"}) {
		t.Errorf("notes %q", notes)
	}
}
