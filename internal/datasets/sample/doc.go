// Package sample holds the embedded data set `fashion-sample`: 5,000 training and 1,000 test images
// of Fashion-MNIST (Copyright 2017 Zalando SE, MIT licence: see LICENSE), so that the first
// training needs no download.
//
// A part is one grey PNG, 28 pixels wide and 28 pixels high for each image: decoded, its pixels are
// the images one after the other, and PNG's filters make it a tenth smaller than gzip alone. The
// images are the first 500 (100) of each class in the order of the official file, dealt out in
// turn: image i has label i mod 10. make/ writes them:
//
//	go generate ./internal/datasets/sample        (needs dataset-fashion-mnist of Debian, or -dir)
package sample

import _ "embed" // for the images

//go:generate go run ./make

// Classes is the number of classes; the label of image i is i mod Classes.
const Classes = 10

// Size is the width and height of an image, in pixels.
const Size = 28

// Numbers of images.
const (
	TrainCount = 5000
	TestCount  = 1000
)

// SHA-256 of the pixels, one byte each, image after image.
const (
	TrainDigest = "1c09648a17b2acf8bdf1dfff09c0eecdd1cff590079a3c9b53c8897cf4b01c91"
	TestDigest  = "e9f89eb06e8c2328785b00abd588a8528d881d7f062acd7b17be736dfe20f1f5"
)

// TrainPNG and TestPNG are the images.
var (
	//go:embed train.png
	TrainPNG []byte
	//go:embed test.png
	TestPNG []byte
)
