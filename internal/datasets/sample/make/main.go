// Make chooses the embedded part of Fashion-MNIST and writes it as train.png and test.png.
//
//	go run ./make [-dir FOLDER] [-out FOLDER]
//
// FOLDER holds the official IDX files; the default is where Debian's package dataset-fashion-mnist
// puts them. It prints the SHA-256 of each part's pixels, which the package records.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"image"
	"image/png"
	"log"
	"os"
	"path/filepath"

	"resnet/internal/datasets"
)

const (
	classes = 10
	size    = 28
)

func main() {
	log.SetFlags(0)
	dir := flag.String("dir", "/usr/share/datasets/fashion-mnist", "folder of the IDX files")
	out := flag.String("out", ".", "folder to write to")
	flag.Parse()
	ds, err := datasets.Open(context.Background(), datasets.Config{Name: "fashion-mnist", Dir: *dir}, 0)
	if err != nil {
		log.Fatal(err)
	}
	if report, err := datasets.Verify(context.Background(), "fashion-mnist", *dir); err != nil || !report.OK() {
		log.Fatal("not the official files: ", report, err)
	}
	for _, part := range []struct {
		split    datasets.Split
		file     string
		perClass int
	}{{datasets.Train, "train.png", 500}, {datasets.Test, "test.png", 100}} {
		pixels, err := choose(ds, part.split, part.perClass)
		if err != nil {
			log.Fatal(err)
		}
		if err := write(filepath.Join(*out, part.file), pixels); err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s %x\n", part.file, sha256.Sum256(pixels))
	}
}

// choose gathers the first perClass images of each class, dealt out in turn by class.
func choose(ds *datasets.Dataset, s datasets.Split, perClass int) ([]byte, error) {
	pixels := make([]byte, perClass*classes*size*size)
	var seen [classes]int
	for i := range ds.Len(s) {
		l := ds.Label(s, i)
		if seen[l] == perClass {
			continue
		}
		at := (seen[l]*classes + l) * size * size
		if _, err := ds.Image(s, i, pixels[at:at+size*size]); err != nil {
			return nil, err
		}
		seen[l]++
	}
	return pixels, nil
}

func write(path string, pixels []byte) error {
	strip := &image.Gray{Pix: pixels, Stride: size, Rect: image.Rect(0, 0, size, len(pixels)/size)}
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, strip); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}
