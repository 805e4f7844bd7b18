package drawing

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"resnet/internal/blocks"
)

func summaryOf(t *testing.T, name string) blocks.Summary {
	t.Helper()
	s, err := blocks.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	m, err := blocks.Summarize(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// drawable are all rows but the longest, and other depths and options.
func drawable() []string {
	return append(slices.DeleteFunc(blocks.Names(), func(name string) bool { return name == "resnet1202" }), "cifar-plain8", "cifar-resnet14c", "resnet50a")
}

var (
	dotEdge  = regexp.MustCompile(`^\t"([^"]+)" -> "([^"]+)"( \[[^\]]*\])?;$`)
	helpers  = regexp.MustCompile(`^(column|top|foot) \d+$`)
	backward = regexp.MustCompile(`^\t"top (\d+)" -> "foot (\d+)" \[dir=none`)
)

// dotEdges reads a Graphviz drawing as a reader does who follows its lines: from box to box,
// through the heads of columns and the ways to them.
func dotEdges(t *testing.T, dot string) []string {
	t.Helper()
	into := map[string][]string{} // what leads into a node
	for line := range strings.Lines(dot) {
		line = strings.TrimSuffix(line, "\n")
		m := dotEdge.FindStringSubmatch(line)
		if m == nil || strings.Contains(line, "style=invis") {
			continue
		}
		if from, to := m[1], m[2]; backward.MatchString(line) { // drawn downwards, read upwards
			into[from] = append(into[from], to)
		} else {
			into[to] = append(into[to], from)
		}
	}
	var sources func(node string) []string
	sources = func(node string) []string {
		switch {
		case node == "column 0":
			return []string{"input"}
		case !helpers.MatchString(node):
			return []string{node}
		}
		var list []string
		for _, from := range into[node] {
			list = append(list, sources(from)...)
		}
		return list
	}
	var edges []string
	for _, node := range slices.Sorted(maps.Keys(into)) {
		if helpers.MatchString(node) {
			continue
		}
		for _, from := range into[node] {
			for _, source := range sources(from) {
				edges = append(edges, source+" -> "+node)
			}
		}
	}
	slices.Sort(edges)
	return edges
}

// TestDrawingHasTheListingsEdges: of every row, the lines of the drawing are the edges of the
// listing, which are those of the graph; a box stands for layers that follow each other.
func TestDrawingHasTheListingsEdges(t *testing.T) {
	for _, name := range drawable() {
		m := summaryOf(t, name)
		box := map[string]string{"input": "input"} // of a layer: the first of its box
		last := map[string]string{"input": "input"}
		for _, b := range boxesOf(m) {
			for _, l := range b.names {
				if box[l] != "" {
					t.Fatalf("%s: %s stands in two boxes", name, l)
				}
				box[l] = b.names[0]
			}
			last[b.names[0]] = b.names[len(b.names)-1]
		}
		var want []string
		for _, l := range m.Layers {
			if box[l.Name] == "" {
				t.Fatalf("%s: %s is not drawn", name, l.Name)
			}
			for _, from := range l.Inputs {
				if box[from] == box[l.Name] {
					continue
				}
				if last[box[from]] != from || box[l.Name] != l.Name {
					t.Fatalf("%s: %s -> %s leaves or enters the middle of a box", name, from, l.Name)
				}
				want = append(want, box[from]+" -> "+l.Name)
			}
		}
		slices.Sort(want)
		if got := dotEdges(t, DOT(m, Whole)); !slices.Equal(got, want) {
			t.Errorf("%s: drawn\n%s\nlisted\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// TestNothingOverlaps: in every drawing boxes stand apart, in their frames, below what they read.
func TestNothingOverlaps(t *testing.T) {
	for _, name := range drawable() {
		m := summaryOf(t, name)
		for _, v := range []View{Whole, Folded, Kinds} {
			if v == Kinds && !HasBlocks(m) {
				continue
			}
			l := arrange(draw(m, v))
			for i, a := range l.at {
				if a.x < 0 || a.y < headHeight || a.right() > l.w || a.bottom() > l.h {
					t.Errorf("%s %d: %s at %v is not in %.0fx%.0f", name, v, l.boxes[i].names[0], a, l.w, l.h)
				}
				for k := range i {
					if b := l.at[k]; a.x < b.right() && b.x < a.right() && a.y < b.bottom() && b.y < a.bottom() {
						t.Errorf("%s %d: %s and %s overlap", name, v, l.boxes[i].names[0], l.boxes[k].names[0])
					}
				}
				for _, from := range l.boxes[i].inputs {
					if from != outside && l.column[from] == l.column[i] && l.at[from].bottom() > a.y {
						t.Errorf("%s %d: %s stands above %s, which it reads", name, v, l.boxes[i].names[0], l.boxes[from].names[0])
					}
				}
			}
			for i, a := range l.frames {
				for _, b := range l.frames[:i] {
					if a.x < b.right() && b.x < a.right() && a.y < b.bottom() && b.y < a.bottom() {
						t.Errorf("%s %d: the frames of %s and %s overlap", name, v, a.label, b.label)
					}
				}
			}
		}
	}
}

// TestALayerThatOthersReadEndsItsBox: a box has one result.
func TestALayerThatOthersReadEndsItsBox(t *testing.T) {
	shape := []int{4, 8, 8}
	list := boxesOf(blocks.Summary{Layers: []blocks.Layer{
		{Name: "a", Type: "conv", Detail: "3x3", Inputs: []string{"input"}, Output: shape},
		{Name: "b", Type: "relu", Inputs: []string{"a"}, Output: shape},
		{Name: "c", Type: "bn", Inputs: []string{"b"}, Output: shape},
		{Name: "d", Type: "add", Inputs: []string{"c", "b"}, Output: shape},
	}})
	var got []string
	for _, b := range list {
		got = append(got, strings.Join(b.names, "+"))
	}
	if want := []string{"a+b", "c", "d"}; !slices.Equal(got, want) {
		t.Errorf("boxes %v, want %v", got, want)
	}
}

// titles are the texts of a drawing's boxes, "+" for a sum.
func titles(m blocks.Summary, block string) []string {
	var list []string
	for _, b := range boxesOf(m) {
		if b.block == block {
			list = append(list, strings.Join(b.lines(), " | "))
		}
	}
	return list
}

func TestBoxesSayWhatThePapersFiguresSay(t *testing.T) {
	for _, c := range []struct {
		net, block string
		want       []string
	}{
		{"resnet34", "layer1.0", []string{"3×3 conv, 64 | BN, ReLU", "3×3 conv, 64 | BN", "+", "ReLU"}},
		{"resnet34", "layer2.0", []string{"3×3 conv, 128, /2 | BN, ReLU", "3×3 conv, 128 | BN", "1×1 conv, 128, /2 | BN", "+", "ReLU"}},
		{"resnet20", "layer3.0", []string{"3×3 conv, 64, /2 | BN, ReLU", "3×3 conv, 64 | BN", "identity, /2 | zeros at sides", "+", "ReLU"}},
		{"resnet50a", "layer1.0", []string{"1×1 conv, 64 | BN, ReLU", "3×3 conv, 64 | BN, ReLU", "1×1 conv, 256 | BN", "identity | zeros at sides", "+", "ReLU"}},
		{"plain20", "layer2.0", []string{"3×3 conv, 32, /2 | BN, ReLU", "3×3 conv, 32 | BN, ReLU"}},
		{"wrbn", "layer2.0", []string{"BN, ELU", "3×3 conv, 160, /2×1 | BN, ELU", "3×3 conv, 160", "1×1 conv, 160, /2×1", "+"}},
		{"wrbn", "blstm.0", []string{"1×1 conv, 2048 | BN", "LSTM, 512, forward", "1×1 conv, 2048 | BN", "LSTM, 512, backward", "+"}},
		{"googlenet", "inception5b", []string{
			"1×1 conv, 384 | ReLU", "1×1 conv, 192 | ReLU", "3×3 conv, 384 | ReLU", "1×1 conv, 48 | ReLU", "5×5 conv, 128 | ReLU",
			"3×3 max pool", "1×1 conv, 128 | ReLU", "concat, 1024",
		}},
		{"vgg16", "", []string{
			"3×3 conv, 64 | ReLU", "3×3 conv, 64 | ReLU", "2×2 max pool, /2", "3×3 conv, 128 | ReLU", "3×3 conv, 128 | ReLU", "2×2 max pool, /2",
			"3×3 conv, 256 | ReLU", "3×3 conv, 256 | ReLU", "3×3 conv, 256 | ReLU", "2×2 max pool, /2", "3×3 conv, 512 | ReLU", "3×3 conv, 512 | ReLU", "3×3 conv, 512 | ReLU", "2×2 max pool, /2",
			"3×3 conv, 512 | ReLU", "3×3 conv, 512 | ReLU", "3×3 conv, 512 | ReLU", "2×2 max pool, /2", "flatten", "fc, 4096 | ReLU, dropout 50 %", "fc, 4096 | ReLU, dropout 50 %", "fc, 1000",
		}},
	} {
		if got := titles(summaryOf(t, c.net), c.block); !slices.Equal(got, c.want) {
			t.Errorf("%s %s: %q, want %q", c.net, c.block, got, c.want)
		}
	}
}

// TestColumnsAreTheStages: their sizes are Table 1's, section 4.2's and the talk's.
func TestColumnsAreTheStages(t *testing.T) {
	for name, want := range map[string]string{
		"resnet50v1.5": "112×112:1 56×56:1+3 28×28:0+4 14×14:0+6 7×7:2+3", "plain110": "32×32:1+18 16×16:0+18 8×8:2+18",
		"bn-inception": "112×112:1 56×56:3 28×28:1+2 14×14:0+5 7×7:2+3", "wrbn": "40 frequencies:1+3 20 frequencies:0+3 10 frequencies:1+3 frames:3+2",
		"googlenet": "112×112:1 56×56:3 28×28:1+2 14×14:1+7 7×7:3+2",
	} {
		list := boxesOf(summaryOf(t, name))
		var got []string
		for _, c := range columnsOf(list) {
			alone, framed := 0, map[string]bool{}
			for _, i := range c.boxes {
				if b := list[i].block; b != "" {
					framed[b] = true
				} else {
					alone++
				}
			}
			text := fmt.Sprintf("%s:%d", c.title, alone)
			if len(framed) > 0 {
				text += fmt.Sprintf("+%d", len(framed))
			}
			got = append(got, text)
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s: %s, want %s", name, s, want)
		}
	}
}

// TestTheFirstColumnSaysWhatComesIn, and of which size its maps are where that is another.
func TestTheFirstColumnSaysWhatComesIn(t *testing.T) {
	for name, want := range map[string]string{
		"resnet34": "input 3×224×224, then 112×112", "plain20": "input 3×32×32", "vgg16": "input 3×224×224", "wrbn": "input 3×80, then 40 frequencies",
	} {
		if _, columns := draw(summaryOf(t, name), Whole); columns[0].title != want {
			t.Errorf("%s: %q, want %q", name, columns[0].title, want)
		}
	}
}

func TestShortcutsAreDottedWhereTheShapeChanges(t *testing.T) {
	for name, want := range map[string]string{
		"plain34": "", "resnet34": "layer2.0 layer3.0 layer4.0", "resnet34a": "layer2.0 layer3.0 layer4.0", "resnet34c": "layer2.0 layer3.0 layer4.0",
		"resnet50": "layer1.0 layer2.0 layer3.0 layer4.0", "wrbn": "layer1.0 layer2.0 layer3.0", "googlenet": "",
	} {
		var got []string
		for _, b := range boxesOf(summaryOf(t, name)) {
			if b.dotted {
				got = append(got, b.block)
			}
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s: dotted in %s, want %s", name, s, want)
		}
	}
	l := arrange(draw(summaryOf(t, "resnet34"), Whole))
	if n := strings.Count(l.svg("", ""), `class="way dotted"`); n != 6 {
		t.Errorf("%d dotted lines, want those into and out of three projections", n)
	}
}

// TestEqualBlocksAreDrawnOnce: their numbers add up to the network's blocks, in stages and by
// kinds.
func TestEqualBlocksAreDrawnOnce(t *testing.T) {
	for name, want := range map[string][2]string{
		"resnet110": {"layer1.0 × 18, layer2.0, layer2.1 × 17, layer3.0, layer3.1 × 17", "layer1.0 × 52, layer2.0 × 2"},
		"resnet50":  {"layer1.0, layer1.1 × 2, layer2.0, layer2.1 × 3, layer3.0, layer3.1 × 5, layer4.0, layer4.1 × 2", "layer1.0, layer1.1 × 12, layer2.0 × 3"},
		"plain20":   {"layer1.0 × 3, layer2.0, layer2.1 × 2, layer3.0, layer3.1 × 2", "layer1.0 × 7, layer2.0 × 2"},
		"wrbn":      {"layer1.0, layer1.1 × 2, layer2.0, layer2.1 × 2, layer3.0, layer3.1 × 2, blstm.0, blstm.1", "layer1.0, layer1.1 × 6, layer2.0 × 2, blstm.0, blstm.1"},
	} {
		for i, v := range []View{Folded, Kinds} {
			var got []string
			for _, f := range arrange(draw(summaryOf(t, name), v)).frames {
				got = append(got, f.label)
			}
			if s := strings.Join(got, ", "); s != want[i] {
				t.Errorf("%s: %s, want %s", name, s, want[i])
			}
		}
	}
	if HasBlocks(summaryOf(t, "vgg16")) || !HasBlocks(summaryOf(t, "bn-inception")) {
		t.Error("vgg16 has no blocks, bn-inception has")
	}
}

// TestSVGIsXML, with a text for each box and a line or two for each edge.
func TestSVGIsXML(t *testing.T) {
	m := summaryOf(t, "wrbn")
	m.Name = `a "<b>&`
	svg := SVG(m, Whole)
	counts := map[string]int{}
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok {
			counts[e.Name.Local]++
			for _, a := range e.Attr {
				if a.Name.Local == "aria-label" && a.Value != m.Name {
					t.Errorf("called %q", a.Value)
				}
			}
		}
	}
	boxes := boxesOf(m)
	edges, sums := 3, 0 // three ways from column to column
	for _, b := range boxes {
		edges += len(b.inputs)
		if b.sign() {
			sums++
		}
	}
	if counts["g"] != len(boxes) || counts["title"] != len(boxes) || counts["circle"] != sums || counts["path"] != 2*edges {
		t.Errorf("%v for %d boxes, %d sums and %d edges with their heads", counts, len(boxes), sums, edges)
	}
	if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
		t.Error("a place that is no number")
	}
}

// TestBlocksStandInAPage: drawings of single blocks have no document of their own, no identifiers
// that two of them could share, and no colours but the page's.
func TestBlocksStandInAPage(t *testing.T) {
	list := Blocks(summaryOf(t, "resnet20"))
	if len(list) != 2 || list[0].Name != "layer1.0" || list[1].Name != "layer2.0" {
		t.Fatalf("%d blocks", len(list))
	}
	for _, d := range list {
		if !strings.HasPrefix(d.SVG, "<svg ") || strings.Contains(d.SVG, " id=") || strings.Contains(d.SVG, "--back:") || strings.Contains(d.SVG, "#0072b2") {
			t.Errorf("%.300s", d.SVG)
		}
		if !strings.Contains(d.SVG, ">16×32×32</text>") {
			t.Errorf("%s does not say what it reads", d.Name)
		}
	}
}
