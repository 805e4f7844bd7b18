package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"resnet/internal/datasets"
	"resnet/internal/eval"
)

// prediction is one call of predict.
type prediction struct {
	a        *app
	o        *predictOptions
	net      *model
	names    []string
	protocol eval.Protocol
	scorer   *eval.Scorer
	cutter   func(path string) ([]eval.Cut, error)
	failed   error // the first image that could not be read
}

// predicted is what predict says of an image: its classes, or what was wrong with it.
type predicted struct {
	Image string       `json:"image"`
	Top   []eval.Guess `json:"top,omitempty"`
	Error string       `json:"error,omitempty"`
}

func newPrediction(a *app, o *predictOptions, net *model) (*prediction, error) {
	p := &prediction{a: a, o: o, net: net, names: net.classNames()}
	var err error
	if p.protocol, err = o.looking.Protocol(net.Model); err != nil {
		return nil, fmt.Errorf("%s: %w", net.named, err)
	}
	p.cutter = func(path string) ([]eval.Cut, error) {
		return eval.PictureCuts(p.protocol, net.Preprocessing, func(int) (datasets.Picture, error) { return readPicture(path) })(0)
	}
	p.scorer = eval.NewScorer(net.Model, p.protocol, eval.ScorerOptions{Factory: a.factory(o.threads), Batch: o.batch, Workers: o.threads})
	return p, nil
}

// classNames are those of the checkpoint, or those of the data set that it was trained on. WordNet
// IDs, which the folders of ImageNet are named by, become names.
func (m *model) classNames() []string {
	names := m.Classes
	if known := datasets.ClassNames(m.Dataset); len(names) == 0 && len(known) == m.Spec.Classes {
		names = known
	}
	byID := map[string]string{}
	for _, c := range datasets.ImageNetClasses() {
		byID[c.ID] = c.Name
	}
	names = slices.Clone(names)
	for i, id := range names {
		if name, ok := byID[id]; ok {
			names[i] = name
		}
	}
	return names
}

// readPicture decodes an image file. Only regular files are opened: a pipe would wait for its
// writer.
func readPicture(path string) (datasets.Picture, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return datasets.Picture{}, &missingError{fmt.Errorf("%s: no such image", path)}
	case err != nil:
		return datasets.Picture{}, &ioError{err}
	case !info.Mode().IsRegular():
		return datasets.Picture{}, &badImageError{fmt.Errorf("%s: not a regular file", path)}
	}
	f, err := os.Open(path)
	if err != nil {
		return datasets.Picture{}, &ioError{err}
	}
	defer f.Close()
	return datasets.DecodePicture(f, path)
}

// badImageError is bad data whose message needs no "bad data" in it.
type badImageError struct{ error }

func (e *badImageError) Is(target error) bool { return target == datasets.ErrData }

// files classifies the images of the command line.
func (p *prediction) files(ctx context.Context, args []string) error {
	paths, err := filesOf(imageEndings, args)
	if err != nil {
		return err
	}
	bad := make([]error, len(paths))
	all := make([]predicted, 0, len(paths))
	if !p.o.json {
		p.printHead()
	}
	err = p.scorer.Score(ctx, len(paths), func(i int) ([]eval.Cut, error) {
		cuts, err := p.cutter(paths[i])
		bad[i] = err
		return cuts, nil
	}, func(i int, scores []float32) error {
		r, err := p.result(paths[i], scores, bad[i])
		if err != nil || p.o.json {
			all = append(all, r)
			return err
		}
		return p.print(r)
	})
	if err != nil {
		return err
	}
	if p.o.json {
		err := eval.WriteJSON(p.a.out, struct {
			Model      string      `json:"model"`
			Checkpoint string      `json:"checkpoint"`
			Protocol   string      `json:"protocol"`
			Images     []predicted `json:"images"`
		}{p.net.Spec.Name, p.net.named, p.view(), all})
		if err != nil {
			return err
		}
	}
	return p.end()
}

// end is the error of the first image that could not be read, if there was one. It has been
// reported.
func (p *prediction) end() error {
	if p.failed == nil {
		return nil
	}
	return &silentError{p.failed}
}

// result says what an image is. It fails where the network does: with logits that are not finite.
func (p *prediction) result(path string, scores []float32, bad error) (predicted, error) {
	r := predicted{Image: path}
	if bad != nil {
		if p.failed == nil {
			p.failed = bad
		}
		r.Error = strings.TrimPrefix(bad.Error(), path+": ")
		return r, nil
	}
	for c, z := range scores {
		if z-z != 0 {
			return r, fmt.Errorf("%s: %s: %w: the logit of class %d is %v", p.net.named, path, eval.ErrNonFinite, c, z)
		}
	}
	r.Top = eval.Top(scores, p.o.top, p.names)
	return r, nil
}

// view is how an image is looked at, in words.
func (p *prediction) view() string {
	s := p.protocol.String()
	if p.net.Spec.InputChannels == 1 {
		s += ", colours as luma"
	}
	return s
}

func (p *prediction) printHead() {
	fmt.Fprintf(p.a.out, "%s (%s), %s\n", eval.Printable(p.net.Spec.Name), eval.Printable(p.net.named), p.view())
}

// print shows an image for people. What is wrong with one goes to standard error.
func (p *prediction) print(r predicted) error {
	if r.Error != "" {
		p.a.say("%s: %s", eval.Printable(r.Image), eval.Printable(r.Error))
		return nil
	}
	_, err := p.a.out.Write([]byte(guesses(r.Image, r.Top)))
	return err
}

// guesses shows the classes of an image or a recording for people.
func guesses(path string, top []eval.Guess) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s\n", eval.Printable(path))
	for _, g := range top {
		name := fmt.Sprintf("class %d", g.Class)
		if g.Name != "" {
			name = fmt.Sprintf("%s (%d)", eval.Printable(g.Name), g.Class)
		}
		fmt.Fprintf(&b, "%7.2f%%  %s\n", 100*g.Probability, name)
	}
	return b.String()
}

// maxPathLine is the longest line of standard input, in bytes.
const maxPathLine = 1 << 20

// line is a path from standard input with the cuts of its image, or the error that ended the input.
type line struct {
	path string
	cuts []eval.Cut
	bad  error
	end  error
}

// stream answers each path on standard input with a line of JSON. The next images are read while
// one is computed.
func (p *prediction) stream(ctx context.Context) error {
	lines := make(chan line, 2*p.o.threads)
	go p.readLines(ctx, lines)
	for {
		var l line
		var open bool
		select {
		case l, open = <-lines:
		case <-ctx.Done(): // the reader may wait for standard input for ever; it ends with the process
			return ctx.Err()
		}
		if !open {
			return p.end()
		}
		if l.end != nil {
			return l.end
		}
		var scores []float32
		if l.bad == nil {
			var err error
			if scores, err = p.scorer.Scores(ctx, l.cuts); err != nil {
				return err
			}
		}
		r, err := p.result(l.path, scores, l.bad)
		if err != nil {
			return err
		}
		text, err := eval.JSONLine(r)
		if err != nil {
			return err
		}
		if _, err := p.a.out.Write(text); err != nil {
			return &ioError{err}
		}
	}
}

// readLines reads paths, and the images that they name. Empty lines are left out.
func (p *prediction) readLines(ctx context.Context, lines chan<- line) {
	defer close(lines)
	in := bufio.NewScanner(p.a.in)
	in.Buffer(nil, maxPathLine)
	for {
		var l line
		if in.Scan() {
			if l.path = strings.TrimSuffix(in.Text(), "\r"); l.path == "" {
				continue
			}
			l.cuts, l.bad = p.cutter(l.path)
		} else if l.end = in.Err(); l.end == nil {
			return
		} else {
			l.end = &ioError{fmt.Errorf("standard input: %w", l.end)}
		}
		select {
		case lines <- l:
		case <-ctx.Done():
			return
		}
		if l.end != nil {
			return
		}
	}
}
