// Command corpus takes from Go's cache of fuzzing what reaches code that no committed input reaches,
// the smallest inputs first, and puts it into testdata/fuzz beside each target: `make fuzz-corpus`,
// after a long run of the fuzzing. The committed inputs run as tests.
package main

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

const (
	largest    = 2 << 10 // bytes of an input, as text
	candidates = 120     // of a target that are tried
	most       = 16      // inputs of a target that are kept
)

var target = regexp.MustCompile(`(?m)^func (Fuzz\w+)\(`)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "corpus:", err)
		os.Exit(1)
	}
}

func run() error {
	cache, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		return err
	}
	targets := map[string][]string{} // by folder
	for _, top := range []string{"cmd", "configs", "internal"} {
		err := filepath.WalkDir(top, func(path string, d os.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			for _, m := range target.FindAllSubmatch(text, -1) {
				targets[filepath.Dir(path)] = append(targets[filepath.Dir(path)], string(m[1]))
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	for dir, names := range targets {
		if len(os.Args) > 1 && !slices.Contains(os.Args[1:], dir) {
			continue
		}
		binary, err := filepath.Abs(filepath.Join("bin", "corpus.test"))
		if err != nil {
			return err
		}
		if out, err := exec.Command("go", "test", "-c", "-cover", "-coverpkg=./internal/...", "-o", binary, "./"+dir).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", dir, err, out)
		}
		for _, name := range names {
			found := filepath.Join(strings.TrimSpace(string(cache)), "fuzz", "resnet", dir, name)
			if err := curate(binary, dir, name, found); err != nil {
				return fmt.Errorf("%s: %s: %w", dir, name, err)
			}
		}
	}
	return nil
}

// curate adds to the inputs of a target those of the folder found that reach new code.
func curate(binary, dir, name, found string) error {
	entries, err := os.ReadDir(found)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	reached := map[string]bool{}
	if _, err := reach(binary, dir, "^"+name+"$", reached); err != nil {
		return err
	}
	type input struct {
		name string
		data []byte
	}
	var list []input
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(found, e.Name()))
		if err != nil {
			return err
		}
		if len(data) <= largest {
			list = append(list, input{e.Name(), data})
		}
	}
	slices.SortFunc(list, func(a, b input) int { return cmp.Or(len(a.data)-len(b.data), strings.Compare(a.name, b.name)) })
	for len(list) > candidates { // a part of each size
		list = slices.DeleteFunc(list, func(i input) bool { return i.name[0]%2 == 0 })
		if len(list) > candidates {
			list = list[:candidates]
		}
	}
	corpus := filepath.Join(dir, "testdata", "fuzz", name)
	if err := os.MkdirAll(corpus, 0o755); err != nil {
		return err
	}
	kept := 0
	for _, in := range list {
		path := filepath.Join(corpus, in.name)
		if _, err := os.Stat(path); err == nil || kept >= most {
			continue
		}
		if err := os.WriteFile(path, in.data, 0o644); err != nil {
			return err
		}
		fresh, err := reach(binary, dir, "^"+name+"$/^"+in.name+"$", reached)
		if err != nil {
			return errors.Join(fmt.Errorf("input %s", in.name), err)
		}
		if fresh == 0 {
			if err := os.Remove(path); err != nil {
				return err
			}
			continue
		}
		kept++
	}
	_ = os.Remove(corpus) // where it is empty
	fmt.Printf("%-28s %-20s %3d of %d inputs kept\n", dir, name, kept, len(entries))
	return nil
}

// reach runs tests and adds the blocks of code that they reach; it returns how many are new.
func reach(binary, dir, pattern string, reached map[string]bool) (fresh int, err error) {
	profile := binary + ".profile"
	c := exec.Command(binary, "-test.run", pattern, "-test.coverprofile", profile)
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%w: %s", err, out)
	}
	text, err := os.ReadFile(profile)
	if err != nil {
		return 0, err
	}
	in := bufio.NewScanner(bytes.NewReader(text))
	for in.Scan() {
		block, count, _ := strings.Cut(in.Text(), " ")
		if !strings.HasSuffix(count, " 0") && !reached[block] {
			reached[block] = true
			fresh++
		}
	}
	return fresh, in.Err()
}
