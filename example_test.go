package resnet_test

import (
	"context"
	"fmt"
	"image"
	_ "image/png"
	"log"
	"math"
	"os"

	"resnet"
)

// Classify tells what is on an image in memory.
func ExampleNetwork_Classify() {
	net, err := resnet.Open("testdata/classifier/fashion8.safetensors", resnet.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer net.Close()

	f, err := os.Open("testdata/classifier/boot.png")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	img, _, err := image.Decode(f)
	if err != nil {
		log.Fatal(err)
	}
	classes, err := net.Classify(context.Background(), img, 2)
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range classes {
		fmt.Printf("%s %.0f %%\n", c.Name, 100*c.Probability)
	}
	// Output:
	// Ankle boot 85 %
	// Sneaker 13 %
}

// A network computes in the precision of its training unless Options say otherwise.
func ExampleOptions_precision() {
	for _, precision := range []string{"", resnet.BFloat16} {
		net, err := resnet.Open("testdata/classifier/fashion8.safetensors", resnet.Options{Precision: precision})
		if err != nil {
			log.Fatal(err)
		}
		defer net.Close()
		fmt.Println(net.Precision())
	}
	// Output:
	// float32
	// bfloat16
}

// ClassifyFile takes the bytes of an image file.
func ExampleNetwork_ClassifyFile() {
	net, err := resnet.Open("testdata/classifier/fashion8.safetensors", resnet.Options{Threads: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer net.Close()
	f, err := os.Open("testdata/classifier/dress.png")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	classes, err := net.ClassifyFile(context.Background(), f, 1)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(classes[0].Name)
	// Output: Dress
}

// Embed makes vectors that can be compared: here by the cosine of their angle.
func ExampleNetwork_Embed() {
	net, err := resnet.Open("testdata/classifier/fashion8.safetensors", resnet.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer net.Close()
	var v [2][]float32
	for i, name := range []string{"boot.png", "dress.png"} {
		f, err := os.Open("testdata/classifier/" + name)
		if err != nil {
			log.Fatal(err)
		}
		v[i], err = net.EmbedFile(context.Background(), f)
		f.Close()
		if err != nil {
			log.Fatal(err)
		}
	}
	cosine := func(a, b []float32) float64 {
		var ab, aa, bb float64
		for i := range a {
			ab, aa, bb = ab+float64(a[i])*float64(b[i]), aa+float64(a[i])*float64(a[i]), bb+float64(b[i])*float64(b[i])
		}
		return ab / math.Sqrt(aa*bb)
	}
	fmt.Printf("%d values; to itself %.2f, to the other %.2f\n", len(v[0]), cosine(v[0], v[0]), cosine(v[0], v[1]))
	// Output: 64 values; to itself 1.00, to the other 0.50
}
