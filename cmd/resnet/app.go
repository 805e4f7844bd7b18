package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/term"

	"resnet/internal/eval/report"
	"resnet/internal/experiment"
	"resnet/internal/graph/kernel"
	"resnet/internal/text"
)

// app is what commands share: the streams and the environment. Standard output carries results,
// standard error the rest.
type app struct {
	in       io.Reader
	out, err io.Writer
	results  *resultWriter // below out
	env      []string
	errTTY   bool // standard error is a terminal: bars and colours are welcome
	outTTY   bool
	outWidth int // columns of standard output; 0 where that is no terminal
	errWidth int
	// The program as the user called it, for commands to paste: "resnet", or "bin/resnet" after
	// make demo.
	self string
	// group is the processes that share a training; nil of one. Ranks after the first print
	// nothing but what ends them, to rankErr.
	group   rankGroup
	rankErr io.Writer
}

func newApp(in io.Reader, out, errw io.Writer) *app {
	results := &resultWriter{w: out}
	return &app{
		in: in, out: results, results: results, err: errw, env: os.Environ(), errTTY: isTerminal(errw), outTTY: isTerminal(out),
		outWidth: width(out), errWidth: width(errw), self: selfName(os.Args[0]),
	}
}

// selfName is how a suggested command begins. A program found on the PATH is called by its name,
// another by its path.
func selfName(arg0 string) string {
	if filepath.Base(arg0) == arg0 || strings.HasSuffix(arg0, ".test") {
		return "resnet"
	}
	return text.ShellQuote(arg0)
}

// width is the number of columns of a terminal, or 0.
func width(w io.Writer) int {
	if !isTerminal(w) {
		return 0
	}
	columns, _, err := term.GetSize(int(w.(*os.File).Fd()))
	if err != nil {
		return 0
	}
	return columns
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func (a *app) getenv(name string) string {
	v, _ := a.lookupEnv(name)
	return v
}

func (a *app) lookupEnv(name string) (value string, ok bool) {
	for _, kv := range a.env {
		if k, v, _ := strings.Cut(kv, "="); k == name {
			return v, true
		}
	}
	return "", false
}

// environment is what the process lends to an experiment.
func (a *app) environment() *experiment.Environment {
	return &experiment.Environment{
		Machine: a.getenv("RESNET_MACHINE"), Self: a.self, Version: readVersion().Version, Command: os.Args, Variable: a.lookupEnv,
		Say: a.sayLine,
	}
}

// chooseKernels obeys RESNET_CPU, which forces a lower instruction set than the machine's best.
// Those that multiply bfloat16 stand above the others, which do without them.
func (a *app) chooseKernels() error {
	name := a.getenv("RESNET_CPU")
	if name == "" {
		return nil
	}
	if slices.Contains(kernel.AvailableBF16(), name) && !slices.Contains(kernel.Available(), name) {
		return kernel.UseBF16(name)
	}
	if err := kernel.Use(name); err != nil {
		return usageErrorf("RESNET_CPU=%s: %w", name, err)
	}
	return kernel.UseBF16("generic")
}

// textWidth is the width of prose on standard output: that of the terminal, at most 100 columns.
func (a *app) textWidth() int {
	if a.outWidth > 0 && a.outWidth < 100 {
		return a.outWidth
	}
	return 100
}

// chart draws curves with characters on standard output.
func (a *app) chart(series []report.Series) error {
	return report.Chart(a.out, series, report.ChartOptions{Color: a.colour(a.outTTY), ASCII: !a.unicode(), Width: min(a.outWidth, 100)})
}

// colour reports whether escape sequences may be written to a terminal: NO_COLOR (no-color.org) and
// TERM=dumb forbid them.
func (a *app) colour(tty bool) bool {
	return tty && a.getenv("NO_COLOR") == "" && a.getenv("TERM") != "dumb"
}

// bold marks text on standard output, where that is a terminal that wants it.
func (a *app) bold(text string) string {
	if a.colour(a.outTTY) {
		return "\x1b[1m" + text + "\x1b[0m"
	}
	return text
}

// say writes a line of talk to standard error. Whatever a path or a file brings into it cannot
// command the terminal.
func (a *app) say(format string, args ...any) {
	fmt.Fprintln(a.err, text.PrintableLines(fmt.Sprintf(format, args...)))
}

// sayWrapped is say for prose: on a terminal lines end between words.
func (a *app) sayWrapped(line string) {
	line = text.PrintableLines(line)
	if a.errTTY && a.errWidth > 0 {
		line = text.WrapLines(line, a.errWidth)
	}
	fmt.Fprintln(a.err, line)
}

// sayLine says a remark of an experiment. Warnings of ranks that do not print are printed all the
// same: rank 0 does not know of an image that another cannot read.
func (a *app) sayLine(line string) {
	if rest, ok := strings.CutPrefix(line, "warning: "); ok && !a.firstRank() {
		fmt.Fprintf(a.rankErr, "warning: rank %d on %s: %s\n", a.group.Rank(), a.group.Host(), text.PrintableLines(rest))
		return
	}
	a.say("%s", line)
}

// printJSON writes v as the one JSON document of a command run with --json.
func (a *app) printJSON(v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return err
	}
	_, err := a.out.Write(text.EscapeJSON(b.Bytes()))
	return err
}

// resultWriter remembers that a result could not be written, whether or not the command looked.
type resultWriter struct {
	w    io.Writer
	lost error
}

func (r *resultWriter) Write(p []byte) (int, error) {
	n, err := r.w.Write(p)
	if err != nil && r.lost == nil && !readerLeft(err) {
		r.lost = err
	}
	return n, err
}

// readerLeft reports whether a pipe or a terminal was closed: nobody misses what is not written.
func readerLeft(err error) bool { return errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.EIO) }

// muteWriter goes silent at the first error, so that a closed terminal or pipe does not end a
// training (`| head`). Of results other errors are returned: a full disk is no reader that left.
type muteWriter struct {
	mu      sync.Mutex
	w       io.Writer
	results bool
	failed  error
}

func (m *muteWriter) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failed == nil {
		_, m.failed = m.w.Write(p)
	}
	if m.failed != nil && m.results && !readerLeft(m.failed) {
		return 0, m.failed
	}
	return len(p), nil
}

// unicode reports whether the locale's characters go beyond ASCII, in the order that POSIX gives
// its variables.
func (a *app) unicode() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToUpper(a.getenv(name)); v != "" {
			return strings.Contains(v, "UTF-8") || strings.Contains(v, "UTF8")
		}
	}
	return false
}
