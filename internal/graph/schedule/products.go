package schedule

import "resnet/internal/graph/kernel/conv"

// Product is what a step multiplies: a pass of a convolution over so many images. A fully connected
// layer is a convolution of one pixel, and a recurrent one multiplies a pixel for each frame.
type Product struct {
	conv.Shape
	Algorithm conv.Algorithm
	Pass      conv.PassName
	Images    int
}

// Operations are those of the direct method.
func (p Product) Operations() int64 { return p.Shape.Operations(p.Images) }

// multiplies adds a pass of a convolution; how many images it goes through is known at the end.
func (s *step) multiplies(shape conv.Shape, a conv.Algorithm, pass conv.PassName) {
	s.products = append(s.products, Product{Shape: shape, Algorithm: a, Pass: pass})
}

// product is that of a fully connected layer.
func product(in, out int, pass conv.PassName) []Product {
	return []Product{{Shape: conv.Shape{C: in, K: out, H: 1, W: 1, R: 1, S: 1, Stride: 1}, Pass: pass}}
}

// recurrent is that of the hidden states of a recurrent layer, for each frame of an utterance.
func recurrent(frames, units int, pass conv.PassName) []Product {
	s := hiddenShape(units)
	s.W = frames
	return []Product{{Shape: s, Pass: pass}}
}

// productsOf returns the products of a step that goes through so many images.
func (s *step) productsOf(images int) []Product {
	list := make([]Product, len(s.products))
	for i, p := range s.products {
		p.Images = images
		list[i] = p
	}
	return list
}
