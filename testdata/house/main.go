// Command house draws docs/house.svg: the packages and which imports which, as `go list` says.
// Packages below one are part of it, but for those that have a line in rooms. What follows from
// other arrows has none of its own, and packages that nearly all others use are listed below.
//
//	go run ./testdata/house > docs/house.svg
package main

import (
	"bytes"
	"fmt"
	"html"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// rooms are the boxes, with what they hold.
var rooms = []struct{ path, holds string }{
	{"cmd/resnet", "commands: flags, printing"},
	{".", "for Go programs"},
	{"internal/experiment", "what a command works on"},
	{"internal/config", "configuration"},
	{"internal/serve", "HTTP"},
	{"internal/train", "loop, optimisers, resume"},
	{"internal/eval", "metrics, views, tables"},
	{"internal/eval/report", "curves, findings, pages"},
	{"internal/eval/onnx", "ONNX models"},
	{"internal/blocks", "plain and residual blocks"},
	{"internal/blocks/drawing", "networks drawn"},
	{"internal/datasets", "readers, augmentation"},
	{"internal/datasets/speech", "audio, features, Kaldi"},
	{"internal/graph", "operators, builder"},
	{"internal/graph/schedule", "the fast machine"},
	{"internal/graph/weights", "tensors in files"},
	{"internal/graph/kernel", "loops and assembly"},
	{"configs", "presets"},
}

const (
	boxWidth, boxHeight = 178, 44
	gapX, gapY          = 14, 46
)

func main() {
	svg, err := draw()
	if err != nil {
		fmt.Fprintln(os.Stderr, "house:", err)
		os.Exit(1)
	}
	_, _ = os.Stdout.Write(svg)
}

func draw() ([]byte, error) {
	edges, others, err := imports()
	if err != nil {
		return nil, err
	}
	reduce(edges)
	rows := levels(edges)
	widest := 0
	for _, row := range rows {
		widest = max(widest, len(row))
	}
	width := widest*(boxWidth+gapX) + gapX
	height := len(rows)*(boxHeight+gapY) + 20
	at := map[string][2]int{}
	for y, row := range rows {
		x := (width - len(row)*(boxWidth+gapX) + gapX) / 2
		for i, path := range row {
			at[path] = [2]int{x + i*(boxWidth+gapX), 12 + y*(boxHeight+gapY)}
		}
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img" aria-label="The packages and their imports">
<style>
svg { --text: #1c1c1c; --back: #fff; --soft: #5c5c5c; --line: #8a8a8a; --box: #0072b2; background: var(--back) }
@media (prefers-color-scheme: dark) { svg { --text: #e8e8e8; --back: #161616; --soft: #a8a8a8; --line: #8a8a8a; --box: #56a8e8 } }
text { font: 12.5px system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif; fill: var(--text); text-anchor: middle }
.small { font-size: 11px; fill: var(--soft) }
rect { fill: var(--back); stroke: var(--box); stroke-width: 1.4 }
path { fill: none; stroke: var(--line) }
.head { fill: var(--line); stroke: none }
</style>
`, width, height+24, width, height+24)
	for _, from := range slices.Sorted(maps.Keys(edges)) {
		for _, to := range slices.Sorted(maps.Keys(edges[from])) {
			f, t := at[from], at[to]
			x1, y1, x2, y2 := f[0]+boxWidth/2, f[1]+boxHeight, t[0]+boxWidth/2, t[1]
			fmt.Fprintf(&b, "<path d=\"M%d %dC%d %d %d %d %d %d\"/><path class=\"head\" d=\"M%d %dl-3.5 -7h7z\"/>\n", x1, y1, x1, y1+gapY/2, x2, y2-gapY/2, x2, y2-5, x2, y2)
		}
	}
	for _, r := range rooms {
		p := at[r.path]
		name := strings.TrimPrefix(r.path, "internal/")
		if r.path == "." {
			name = "resnet"
		}
		fmt.Fprintf(&b, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"5\"/><text x=\"%d\" y=\"%d\">%s</text><text class=\"small\" x=\"%d\" y=\"%d\">%s</text>\n",
			p[0], p[1], boxWidth, boxHeight, p[0]+boxWidth/2, p[1]+18, html.EscapeString(name), p[0]+boxWidth/2, p[1]+34, html.EscapeString(r.holds))
	}
	fmt.Fprintf(&b, "<text class=\"small\" x=\"%d\" y=\"%d\">used by many, without arrows: %s</text>\n</svg>\n", width/2, height+10, html.EscapeString(strings.Join(others, ", ")))
	return b.Bytes(), nil
}

// room is the box that a package belongs to, or "".
func room(path string) string {
	best := ""
	for _, r := range rooms {
		if (path == r.path || strings.HasPrefix(path, r.path+"/")) && len(r.path) > len(best) {
			best = r.path
		}
	}
	return best
}

// imports asks go list who imports whom, by room; others are the packages without one.
func imports() (edges map[string]map[string]bool, others []string, err error) {
	list := func(args ...string) (string, error) {
		c := exec.Command("go", append([]string{"list"}, args...)...)
		c.Stderr = os.Stderr
		out, err := c.Output()
		return string(out), err
	}
	module, err := list("-m")
	if err != nil {
		return nil, nil, err
	}
	module = strings.TrimSpace(module)
	out, err := list("-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, "./...")
	if err != nil {
		return nil, nil, err
	}
	own := func(path string) string {
		if path == module {
			return "."
		}
		if rest, ok := strings.CutPrefix(path, module+"/"); ok {
			return rest
		}
		return ""
	}
	edges = map[string]map[string]bool{}
	seen := map[string]bool{}
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		from := own(f[0])
		if strings.HasPrefix(from, "internal/datasets/sample/make") || strings.HasPrefix(from, "docs/") || strings.HasSuffix(from, "test") {
			continue
		}
		r := room(from)
		if r == "" {
			if name := strings.Split(strings.TrimPrefix(from, "internal/"), "/")[0]; !seen[name] && name != "internal" {
				seen[name], others = true, append(others, name)
			}
			continue
		}
		if edges[r] == nil {
			edges[r] = map[string]bool{}
		}
		for _, path := range f[1:] {
			if to := room(own(path)); to != "" && to != r {
				edges[r][to] = true
			}
		}
	}
	slices.Sort(others)
	return edges, others, nil
}

// reduce leaves out arrows that others imply.
func reduce(edges map[string]map[string]bool) {
	var reach func(from, to string, not [2]string) bool
	reach = func(from, to string, not [2]string) bool {
		for next := range edges[from] {
			if from == not[0] && next == not[1] {
				continue
			}
			if next == to || reach(next, to, not) {
				return true
			}
		}
		return false
	}
	for _, from := range slices.Sorted(maps.Keys(edges)) {
		for _, to := range slices.Sorted(maps.Keys(edges[from])) {
			if reach(from, to, [2]string{from, to}) {
				delete(edges[from], to)
			}
		}
	}
}

// levels puts every room below those that import it.
func levels(edges map[string]map[string]bool) [][]string {
	depth := map[string]int{}
	for changed := true; changed; {
		changed = false
		for from := range edges {
			for to := range edges[from] {
				if depth[to] < depth[from]+1 {
					depth[to], changed = depth[from]+1, true
				}
			}
		}
	}
	rows := make([][]string, slices.Max(slices.Collect(maps.Values(depth)))+1)
	for _, r := range rooms {
		rows[depth[r.path]] = append(rows[depth[r.path]], r.path)
	}
	return rows
}
