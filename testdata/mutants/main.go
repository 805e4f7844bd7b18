// Command mutants takes guards away, one at a time, and reports which test notices: `make mutants`.
//
// Each mutant is a line of the table: a file, the text that is the guard, and what stands there
// without it. The program copies the tree, changes the copy, and runs the tests of the packages that
// the line names. A mutant that no test fails for has survived; a text that is no longer in its file,
// or more than once, is an error, so that the table stays true. The tree itself is only read.
//
//	go run ./testdata/mutants            all of them
//	go run ./testdata/mutants sync cap   those whose names contain one of the words
//	go run ./testdata/mutants -check     only look for the texts
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// mutant is a guard and what is there without it.
type mutant struct {
	name     string // says what is taken away
	file     string // below the module
	old, new string
	tests    string // packages, and -run with a pattern; go test takes them as they stand
}

func main() {
	check := flag.Bool("check", false, "only look whether every guard is where the table says")
	flag.Parse()
	if err := run(*check, flag.Args(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(check bool, words []string, out io.Writer) error {
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	var chosen []mutant
	var wrong []error
	for _, m := range table {
		if len(words) > 0 && !slices.ContainsFunc(words, func(w string) bool { return strings.Contains(m.name, w) }) {
			continue
		}
		chosen = append(chosen, m)
		if _, err := m.apply(root); err != nil {
			wrong = append(wrong, err)
		}
	}
	if check || len(wrong) > 0 {
		return errors.Join(wrong...)
	}
	if len(chosen) == 0 {
		return fmt.Errorf("no mutant is called like one of %q", words)
	}
	tree, err := os.MkdirTemp("", "resnet-mutants-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tree)
	if err := copyTree(root, tree); err != nil {
		return err
	}
	survived := 0
	for _, m := range chosen {
		start := time.Now()
		killers, err := m.try(tree)
		took := time.Since(start).Round(time.Second)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", m.name, err))
			fmt.Fprintf(out, "BROKEN    %-64s %4v\n", m.name, took)
			continue
		}
		if len(killers) == 0 {
			survived++
			fmt.Fprintf(out, "SURVIVED  %-64s %4v  %s: go test %s\n", m.name, took, m.file, m.tests)
			continue
		}
		fmt.Fprintf(out, "killed    %-64s %4v  by %s\n", m.name, took, strings.Join(killers, ", "))
	}
	fmt.Fprintf(out, "%d mutants, %d survived\n", len(chosen), survived)
	if survived > 0 {
		wrong = append(wrong, fmt.Errorf("%d of %d guards can be taken away without a test that fails", survived, len(chosen)))
	}
	return errors.Join(wrong...)
}

func moduleRoot() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", err
	}
	return filepath.Dir(strings.TrimSpace(string(out))), nil
}

// copyTree copies the files that git tracks, and those that are new and not ignored.
func copyTree(from, to string) error {
	list := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = from
	out, err := list.Output()
	if err != nil {
		return fmt.Errorf("git ls-files: %w", err)
	}
	for name := range strings.SplitSeq(strings.TrimRight(string(out), "\x00"), "\x00") {
		info, err := os.Lstat(filepath.Join(from, name))
		if errors.Is(err, os.ErrNotExist) { // removed, not yet committed
			continue
		}
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return fmt.Errorf("%s is no regular file", name)
		}
		text, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			return err
		}
		target := filepath.Join(to, name)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(target, text, info.Mode().Perm()); err != nil {
			return err
		}
	}
	return nil
}

// apply is the text of the mutant's file without the guard.
func (m mutant) apply(root string) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(root, m.file))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.name, err)
	}
	if n := bytes.Count(text, []byte(m.old)); n != 1 {
		return nil, fmt.Errorf("%s: %s holds the guard %d times, want once: %q", m.name, m.file, n, m.old)
	}
	return bytes.Replace(text, []byte(m.old), []byte(m.new), 1), nil
}

// try changes the copy, runs the tests, restores the copy, and returns the tests that failed. A
// mutant that does not compile is an error.
func (m mutant) try(tree string) ([]string, error) {
	path := filepath.Join(tree, m.file)
	sound, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	mutated, err := m.apply(tree)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(path, mutated, 0o644); err != nil {
		return nil, err
	}
	defer func() { _ = os.WriteFile(path, sound, 0o644) }() // a copy, in a folder that is removed
	// -trimpath: what is compiled does not depend on the name of the copy, and the next call finds it
	// in Go's cache.
	args := append([]string{"test", "-trimpath", "-short", "-json", "-timeout", "5m"}, strings.Fields(m.tests)...)
	cmd := exec.Command("go", args...)
	cmd.Dir = tree
	out, runErr := cmd.Output()
	killers, built := failures(out)
	if !built {
		return nil, fmt.Errorf("does not compile: go %s: %s", strings.Join(args, " "), out)
	}
	if runErr != nil && len(killers) == 0 {
		return nil, fmt.Errorf("go %s: %w: %s", strings.Join(args, " "), runErr, out)
	}
	return killers, nil
}

// failures lists the tests that failed in the output of go test -json, a subtest by its parent.
func failures(out []byte) (tests []string, built bool) {
	built = true
	in := bufio.NewScanner(bytes.NewReader(out))
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		var e struct{ Action, Package, Test, FailedBuild string }
		if json.Unmarshal(in.Bytes(), &e) != nil {
			continue
		}
		if e.Action == "build-fail" || e.FailedBuild != "" {
			return nil, false
		}
		if e.Action != "fail" {
			continue
		}
		name, _, _ := strings.Cut(e.Test, "/")
		switch {
		case name == "TestScripts" && e.Test != name: // a script has a name of its own
			name = e.Test
		case name == "": // the package: of a panic or a time that ran out
			name = strings.TrimPrefix(e.Package, "resnet/")
			if slices.ContainsFunc(tests, func(t string) bool { return strings.HasPrefix(t, "Test") }) {
				continue
			}
		}
		if !slices.Contains(tests, name) {
			tests = append(tests, name)
		}
	}
	return slices.DeleteFunc(tests, func(t string) bool {
		return t == "TestScripts" && slices.ContainsFunc(tests, func(o string) bool { return strings.HasPrefix(o, "TestScripts/") })
	}), true
}
