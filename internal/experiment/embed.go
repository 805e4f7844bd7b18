package experiment

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"resnet/internal/config"
	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/text"
)

// EmbedFormats are the endings of the files that Embedder.Write writes.
var EmbedFormats = []string{".npy", ".csv"}

// Embedder makes the features of image files.
type Embedder struct {
	Model *Model
	View  string // in words

	p      *pictures
	failed error
}

// NewEmbedder makes a trained network of images ready to give the features that its classifier
// stands on. Of o, View, Batch, Threads and Precision are used.
func NewEmbedder(m *Model, o PredictOptions) (*Embedder, error) {
	if err := m.Compute(o.Precision); err != nil {
		return nil, err
	}
	e := &Embedder{Model: m}
	var err error
	e.View, e.p, err = newFormOfPictures(m, o, eval.Features)
	return e, err
}

// Close releases what the network takes.
func (e *Embedder) Close() { e.p.close() }

// Failed is the error of the first file that could not be read, or nil.
func (e *Embedder) Failed() error { return e.failed }

// Files computes files and those of folders, in order. A file that cannot be read is told bad and
// left out.
func (e *Embedder) Files(ctx context.Context, args []string, bad func(path string, err error)) (*eval.Embeddings, error) {
	paths, err := filesOf(e.p.kinds(), args)
	if err != nil {
		return nil, err
	}
	all := new(eval.Embeddings)
	err = e.p.all(ctx, paths, func(path string, features []float32, wrong error) error {
		if wrong != nil {
			if e.failed == nil {
				e.failed = wrong
			}
			bad(path, wrong)
			return nil
		}
		if err := e.Model.FiniteOutputs(path, "feature", features); err != nil {
			return err
		}
		all.Names, all.Features = append(all.Names, path), append(all.Features, slices.Clone(features))
		return nil
	})
	return all, err
}

// CheckEmbedOut fails for a file whose ending is none of EmbedFormats.
func CheckEmbedOut(path string) error {
	if !slices.Contains(EmbedFormats, strings.ToLower(filepath.Ext(path))) {
		return config.Usagef("embed: --out %s: a file that ends with %s", text.Printable(path), strings.Join(EmbedFormats, " or "))
	}
	return nil
}

// WriteEmbeddings writes features in the format of the ending of path: a table with the names of
// the images, or a matrix for NumPy and, at names, the images' names, a line each, in the order of
// its rows; names is "" without.
func WriteEmbeddings(e *eval.Embeddings, path string) (names string, err error) {
	if strings.EqualFold(filepath.Ext(path), ".csv") {
		return "", writeOut(path, "embeddings", e.WriteCSV)
	}
	for _, name := range e.Names {
		if strings.ContainsAny(name, "\r\n") {
			return "", fmt.Errorf("%s: %w: a line break in the name of a file: write a .csv", text.Printable(name), datasets.ErrData)
		}
	}
	names = strings.TrimSuffix(path, filepath.Ext(path)) + ".txt"
	err = writeOut(names, "embeddings", func(w io.Writer) error {
		_, err := io.WriteString(w, strings.Join(e.Names, "\n")+"\n")
		return err
	})
	if err != nil {
		return "", err
	}
	return names, writeOut(path, "embeddings", e.WriteNPY)
}
