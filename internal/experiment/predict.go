package experiment

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"resnet/internal/config"
	"resnet/internal/eval"
)

// PredictOptions say how files are classified.
type PredictOptions struct {
	Top     int // classes for each file
	View    eval.ViewOptions
	Batch   int // views computed together
	Threads int
	// Precision is in place of what the checkpoint says; see Model.Compute.
	Precision string
	// ClassesFile has the names of the network's classes instead of the checkpoint's; "" means
	// none.
	ClassesFile string
	// Adaptation is a file of speakers' transforms, and Speaker the one that is taken; both are
	// "" without.
	Adaptation, Speaker string
}

// Prediction is what a network says of a file: its likeliest classes, or what is wrong with it.
type Prediction struct {
	Image     string       `json:"image,omitempty"`
	Recording string       `json:"recording,omitempty"`
	Top       []eval.Guess `json:"top,omitempty"`
	Error     string       `json:"error,omitempty"`
}

// Path is the file.
func (p Prediction) Path() string { return p.Image + p.Recording }

// Predictor classifies files: images, or recordings with a network of speech.
type Predictor struct {
	Model *Model
	// View says in words how a file is seen.
	View string

	o      PredictOptions
	c      classifier
	failed error // of the first file that could not be read
}

// classifier is what images and recordings do each in their own way.
type classifier interface {
	// kinds are the endings by which a folder's files are taken.
	kinds() []string
	// scores are the logits of a file; bad is why this one has none, and err what ends all. Several
	// files may be asked for at a time.
	scores(ctx context.Context, path string) (scores []float32, bad, err error)
	// all scores files in order, where many together are faster; bad is why a file could not be
	// read.
	all(ctx context.Context, paths []string, each func(path string, scores []float32, bad error) error) error
	// label says what a file is in a prediction.
	label(p *Prediction, path string)
	names() []string
	close()
}

// NewPredictor makes a trained network ready to classify files.
func NewPredictor(m *Model, o PredictOptions) (*Predictor, error) {
	if err := m.Compute(o.Precision); err != nil {
		return nil, err
	}
	if err := m.NameClasses(o.ClassesFile); err != nil {
		return nil, err
	}
	p := &Predictor{Model: m, o: o}
	var err error
	if m.Frontend != "" {
		p.View = "whole recordings"
		p.c, err = newRecordings(m, o)
	} else {
		if o.Adaptation != "" {
			return nil, config.Usagef("predict: --adaptation: %s is no network of speech", m.Named)
		}
		p.View, p.c, err = newPictures(m, o)
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

// Close releases what the network takes.
func (p *Predictor) Close() { p.c.close() }

// Files classifies files and those of folders, in order, and hands over each. A file that cannot
// be read does not stop the others: Failed is the first such error.
func (p *Predictor) Files(ctx context.Context, args []string, each func(Prediction) error) error {
	paths, err := filesOf(p.c.kinds(), args)
	if err != nil {
		return err
	}
	return p.c.all(ctx, paths, func(path string, scores []float32, bad error) error {
		r, err := p.predict(path, scores, bad)
		if err != nil {
			return err
		}
		return each(r)
	})
}

// Image classifies the image file that in holds, up to its end. It fails for a network of speech.
func (p *Predictor) Image(ctx context.Context, in io.Reader) (Prediction, error) {
	pics, ok := p.c.(*pictures)
	if !ok {
		return Prediction{}, config.Usagef("predict: %s is a network of speech, and an image is on standard input", p.Model.Named)
	}
	scores, bad, err := pics.Read(ctx, in, "standard input")
	if err != nil {
		return Prediction{}, err
	}
	return p.predict("standard input", scores, bad)
}

// Failed is the error of the first file that could not be read, or nil.
func (p *Predictor) Failed() error { return p.failed }

// predict says what a file is. It fails where the network does: with logits that are not finite.
func (p *Predictor) predict(path string, scores []float32, bad error) (Prediction, error) {
	var r Prediction
	p.c.label(&r, path)
	if bad != nil {
		if p.failed == nil {
			p.failed = bad
		}
		r.Error = strings.TrimPrefix(bad.Error(), path+": ")
		return r, nil
	}
	if err := p.Model.FiniteOutputs(path, "the logit of class", scores); err != nil {
		return r, err
	}
	r.Top = eval.Top(scores, p.o.Top, p.c.names())
	return r, nil
}

// maxPathLine is the longest line of standard input, in bytes.
const maxPathLine = 1 << 20

// line is a path whose scores are being computed, or the error that ended the lines.
type line struct {
	path   string
	scores []float32
	bad    error
	end    error
	ready  chan struct{}
}

// Stream classifies the files whose paths come as lines, and hands over each in order as soon as it
// is known. The next files are read while one is computed. Empty lines are left out.
func (p *Predictor) Stream(ctx context.Context, in io.Reader, each func(Prediction) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lines := make(chan *line, 2*p.o.Threads) // which bounds what is read ahead
	go p.readLines(ctx, in, lines)
	for {
		var l *line
		var open bool
		select {
		case l, open = <-lines:
		case <-ctx.Done(): // the reader may wait for its input for ever; it ends with the process
			return ctx.Err()
		}
		if !open {
			return nil
		}
		<-l.ready
		if l.end != nil {
			return l.end
		}
		r, err := p.predict(l.path, l.scores, l.bad)
		if err != nil {
			return err
		}
		if err := each(r); err != nil {
			return err
		}
	}
}

func (p *Predictor) readLines(ctx context.Context, in io.Reader, lines chan<- *line) {
	defer close(lines)
	scan := bufio.NewScanner(in)
	scan.Buffer(nil, maxPathLine)
	for n := 1; ; n++ {
		l := &line{ready: make(chan struct{})}
		if scan.Scan() {
			if l.path = strings.TrimSuffix(scan.Text(), "\r"); l.path == "" {
				continue
			}
		} else if err := scan.Err(); errors.Is(err, bufio.ErrTooLong) {
			l.end = &IOError{fmt.Errorf("standard input: line %d is longer than %d bytes", n, maxPathLine)}
		} else if err != nil {
			l.end = &IOError{fmt.Errorf("standard input: %w", err)}
		} else {
			return
		}
		select {
		case lines <- l:
		case <-ctx.Done():
			return
		}
		if l.end != nil {
			close(l.ready)
			return
		}
		go func() {
			defer close(l.ready)
			l.scores, l.bad, l.end = p.c.scores(ctx, l.path)
		}()
	}
}
