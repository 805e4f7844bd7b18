package main

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"resnet/configs"
	"resnet/internal/graph/kernel"
)

// documents are the Markdown files of the repository that are written by hand.
func documents(t *testing.T) []string {
	t.Helper()
	// CHANGELOG.md names what is gone.
	files := []string{"README.md", "CONTRIBUTING.md", "SECURITY.md"}
	for i, f := range files {
		files[i] = filepath.Join("..", "..", f)
	}
	err := filepath.WalkDir(filepath.Join("..", "..", "docs"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".md" && filepath.Base(filepath.Dir(path)) != "reference" {
			files = append(files, path)
		}
		return err
	})
	if err != nil || len(files) < 30 {
		t.Fatalf("%d documents: %v", len(files), err)
	}
	return files
}

// A phrase is a piece of code in a document: a line of a block, or a span within a line.
type phrase struct {
	line int
	text string
	span bool
}

var codeSpan = regexp.MustCompile("`([^`]+)`")

// phrases are the code of a document. Blocks that are another language are left out.
func phrases(text string) []phrase {
	var list []phrase
	fence := ""
	for i, line := range strings.Split(text, "\n") {
		if mark, ok := strings.CutPrefix(strings.TrimSpace(line), "```"); ok {
			if fence != "" {
				fence = ""
			} else if fence = mark; fence == "" {
				fence = "text"
			}
			continue
		}
		switch {
		case fence == "yaml" || fence == "go":
		case fence != "" || strings.HasPrefix(line, "    "):
			list = append(list, phrase{i + 1, strings.TrimSpace(line), false})
		default:
			for _, m := range codeSpan.FindAllStringSubmatch(line, -1) {
				list = append(list, phrase{i + 1, m[1], true})
			}
		}
	}
	return list
}

var preformatted = regexp.MustCompile(`(?s)<pre>(.*?)</pre>`)

// lessonCommands are the command lines of the lesson, as a document.
func lessonCommands(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "internal", "eval", "report", "page", "lesson.html.tmpl"))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, m := range preformatted.FindAllStringSubmatch(string(page), -1) {
		b.WriteString("```sh\n" + strings.ReplaceAll(m[1], "&gt;", ">") + "\n```\n")
	}
	return b.String()
}

var (
	shellWord  = regexp.MustCompile(`'[^']*'|"[^"]*"|[^\s'"]+`)
	keyRow     = regexp.MustCompile("(?m)^\\| `([a-z0-9_.]+)` \\|")
	keyText    = regexp.MustCompile(`^(model|data|speech|train|eval|distributed)(\.[a-z0-9_]+)+$`)
	presetName = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)
)

// words splits a command line as a shell does, near enough for documents. Alternatives in brackets
// or behind a bar count as their first.
func words(line string) []string {
	var list []string
	quoted := strings.Split(line, "#")[0]
	for _, m := range shellWord.FindAllString(quoted, -1) {
		list = append(list, strings.Trim(m, `'"[]`))
	}
	return list
}

// commandsIn are the argument lists of resnet in a line of a shell.
func commandsIn(line string) [][]string {
	var list [][]string
	var now []string
	in := false
	for _, w := range words(strings.TrimPrefix(line, "$ ")) {
		switch {
		case w == "&&" || w == "|" || w == ";" || w == ">" || w == "...":
			in = false
		case !in && (w == "resnet" || w == "bin/resnet" || w == "./resnet"):
			in, now = true, []string{}
			list = append(list, now)
		case in:
			list[len(list)-1] = append(list[len(list)-1], w)
		case w != "$" && !strings.Contains(w, "="):
			return list // another program
		}
	}
	return list
}

// knownKeys are those of the reference, which a test holds to the program, and their sections.
func knownKeys(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "reference", "configuration.md"))
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]bool{}
	for _, m := range keyRow.FindAllStringSubmatch(string(text), -1) {
		keys[m[1]] = true
		for parts := strings.Split(m[1], "."); len(parts) > 1; {
			parts = parts[:len(parts)-1]
			keys[strings.Join(parts, ".")] = true
		}
	}
	if len(keys) < 100 {
		t.Fatalf("%d keys", len(keys))
	}
	return keys
}

// checkCommand says what of a command line the program does not have, or "".
func checkCommand(root *cobra.Command, args []string, keys map[string]bool) string {
	c := root
	for len(args) > 0 {
		name, _, _ := strings.Cut(args[0], "|")
		i := slices.IndexFunc(c.Commands(), func(s *cobra.Command) bool { return s.Name() == name })
		if i < 0 {
			break
		}
		c, args = c.Commands()[i], args[1:]
	}
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") && c.HasSubCommands() && c.Name() != "lesson" && c.Name() != "resnet" {
		return c.CommandPath() + " has no " + args[0]
	}
	if c == root && len(args) > 0 && !strings.HasPrefix(args[0], "-") && regexp.MustCompile(`^[a-z][a-z-]*$`).MatchString(args[0]) {
		return "no command " + args[0]
	}
	for i, w := range args {
		flag, value, given := strings.Cut(strings.TrimRight(w, ",.)]"), "=")
		if !strings.HasPrefix(flag, "--") || flag == "--" {
			continue
		}
		name, _, _ := strings.Cut(flag[2:], "|")
		name, _, _ = strings.Cut(name, "[")
		f := c.Flag(name)
		if f == nil && name != "help" {
			return c.CommandPath() + " has no --" + name
		}
		if !given && i+1 < len(args) {
			value = args[i+1]
		}
		switch name {
		case "set", "vary":
			if key, _, ok := strings.Cut(value, "="); ok && !keys[key] && strings.ToUpper(key) != key {
				return "no key " + key
			}
		case "config":
			if presetName.MatchString(value) && !slices.Contains(configs.Names(), value) {
				return "no preset " + value
			}
		}
	}
	return ""
}

// TestCommandsAndKeysInTheDocumentationExist: every command line of resnet, its flags, the keys
// that it sets and the presets that it names; and every key that a text names.
func TestCommandsAndKeysInTheDocumentationExist(t *testing.T) {
	keys := knownKeys(t)
	root := newRootCmd(newApp(strings.NewReader(""), io.Discard, io.Discard))
	checked := 0
	texts := map[string]string{"the lesson": lessonCommands(t)}
	for _, file := range documents(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts[file] = string(text)
	}
	for file, text := range texts {
		for _, p := range phrases(text) {
			for _, args := range commandsIn(p.text) {
				checked++
				if wrong := checkCommand(root, args, keys); wrong != "" {
					t.Errorf("%s:%d: %s: %s", file, p.line, p.text, wrong)
				}
			}
			if strings.HasSuffix(p.text, ".safetensors") {
				continue
			}
			if key, _, _ := strings.Cut(p.text, "="); p.span && keyText.MatchString(strings.TrimSuffix(key, ":")) && !keys[strings.TrimSuffix(key, ":")] {
				t.Errorf("%s:%d: no key %s", file, p.line, p.text)
			}
		}
	}
	if checked < 150 {
		t.Errorf("only %d commands found", checked)
	}
}

// A session is a command of a console block and what it prints.
type session struct{ command, output string }

// sessions are those of the console blocks of a document.
func sessions(text string) []session {
	var list []session
	in := false
	for line := range strings.Lines(text) {
		command, ok := strings.CutPrefix(line, "$ ")
		switch {
		case strings.HasPrefix(line, "```"):
			in = strings.TrimSpace(line) == "```console"
		case in && ok:
			list = append(list, session{command: strings.TrimSpace(command)})
		case in:
			list[len(list)-1].output += line
		}
	}
	return list
}

var (
	elapsed   = regexp.MustCompile(`\b(\d+m)?\d+(\.\d+)?s\b`)
	anyFigure = regexp.MustCompile(`[\d,]*\d(\.\d+)?`)
	spaces    = regexp.MustCompile(`[ -]{2,}`)
)

// sameOutput compares what a command printed with what a document says: "..." alone in a line is
// any number of lines, times are any times, and with kernels other than the document's AVX-512
// figures are any figures.
func sameOutput(want, got string) bool {
	plain := func(s string) string {
		s = elapsed.ReplaceAllString(s, "T")
		if kernel.Active() != "avx512" {
			s = anyFigure.ReplaceAllString(s, "N")
		}
		return spaces.ReplaceAllString(s, " ")
	}
	var pattern strings.Builder
	pattern.WriteString(`(?s)^`)
	for line := range strings.Lines(want) {
		if strings.TrimSpace(line) == "..." {
			pattern.WriteString(`.*`)
			continue
		}
		pattern.WriteString(regexp.QuoteMeta(plain(line)))
	}
	return regexp.MustCompile(pattern.String() + `$`).MatchString(plain(got))
}

// TestTheReadmesCommandsPrintWhatItSays runs its console blocks one after another in one folder.
// The quickstart, which takes a minute, is left out of short tests.
func TestTheReadmesCommandsPrintWhatItSays(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), "\n"); n > 130 {
		t.Errorf("README.md has %d lines: at most 130", n)
	}
	t.Chdir(t.TempDir())
	ran := 0
	for _, s := range sessions(string(text)) {
		args := words(s.command)
		switch {
		case args[0] == "cat":
			if err := os.WriteFile(args[1], []byte(s.output), 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		case args[0] != "resnet":
			t.Fatalf("%s: not a command of resnet", s.command)
		case testing.Short() && args[1] == "quickstart":
			continue
		}
		ran++
		var out, errs bytes.Buffer
		if status := run(args[1:], strings.NewReader(""), &out, &errs); status != 0 {
			t.Fatalf("%s: status %d: %s", s.command, status, errs.String())
		}
		if !sameOutput(s.output, out.String()) {
			t.Errorf("%s prints\n%s\nREADME.md says\n%s", s.command, out.String(), s.output)
		}
	}
	if ran < 2 {
		t.Errorf("only %d commands were run", ran)
	}
}

// TestOutputsAreTold: what is compared, and what is left open.
func TestOutputsAreTold(t *testing.T) {
	for _, c := range []struct {
		want, got string
		same      bool
	}{
		{"a 1\n...\nb\n", "a 1\nx\ny\nb\n", true},
		{"a 1\n", "a 1\nb\n", false},
		{"in 2.4s\n", "in 1m03s\n", true},
		{"a 1\n", "a 2\n", kernel.Active() != "avx512"},
		{"a 1\n", "b 1\n", false},
	} {
		if got := sameOutput(c.want, c.got); got != c.same {
			t.Errorf("%q and %q: %v", c.want, c.got, got)
		}
	}
}

// TestWhatDocumentsMayNotNameIsFound: the test before finds what is not there.
func TestWhatDocumentsMayNotNameIsFound(t *testing.T) {
	keys := knownKeys(t)
	root := newRootCmd(newApp(strings.NewReader(""), io.Discard, io.Discard))
	for line, want := range map[string]string{
		"$ resnet train --config cifar20 --set train.seed=2 | tee log": "",
		"resnet bench train|infer --arch resnet20":                     "",
		"resnet eval RUN --split val --json > x":                       "",
		"resnet tarin --config cifar20":                                "no command tarin",
		"resnet data fetsh cifar10":                                    "resnet data has no fetsh",
		"resnet train --confg cifar20":                                 "resnet train has no --confg",
		"resnet train --config cifar21":                                "no preset cifar21",
		"resnet data fetch cifar10 && resnet train --set train.sede=2": "no key train.sede",
		"resnet compare sweep --vary train.rate=1,2":                   "no key train.rate",
	} {
		got := ""
		for _, args := range commandsIn(line) {
			got += checkCommand(root, args, keys)
		}
		if got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}
