package weights

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Foreign is what a file of another program says of a network.
type Foreign struct {
	Tensors []Tensor // with our names
	// Program is what wrote the file: PyTorch, Caffe, TensorFlow or Chainer.
	Program string
	// Windows are those of convolutions and poolings by the names of our layers, where the file has
	// them.
	Windows map[string]Window
	// Eps is that of batch normalisation; 0 where the file does not say.
	Eps   float64
	Input Input
	// ClassCounts are the training frames of each class of a speech network; nil where the file has
	// none.
	ClassCounts []int64
}

// Window is the geometry of a convolution or pooling.
type Window struct {
	Kernel, Stride, Pad int
	Ceil                bool
}

// Input is how images became the input of a network of a known origin. The zero value says nothing.
type Input struct {
	// Bytes says that values are of 0 to 255, with only a mean subtracted.
	Bytes bool
	// BGR says that the channels of an image are blue, green and red. See ReverseColours.
	BGR bool
	// Mean is what the published networks subtract of red, green and blue, in values of 0 to 255;
	// nil where it is not known.
	Mean []float32
	// Half says that values are of -1 to 1.
	Half bool
}

// ReadForeign reads the network of a file of another program, whole: see OpenForeign. Of several
// sets of weights it takes that which PlainSet names.
func ReadForeign(path string) (Foreign, error) {
	f, err := OpenForeign(path)
	if err != nil {
		return Foreign{}, err
	}
	defer f.Close()
	return f.read(path)
}

// readForeign is ReadForeign of size bytes in r.
func readForeign(r io.ReaderAt, size int64, name string) (Foreign, error) {
	f, err := openForeign(r, size, name)
	if err != nil {
		return Foreign{}, err
	}
	return f.read(name)
}

// read is the network of the file, by its own layout or that of the plain set.
func (f *ForeignFile) read(name string) (Foreign, error) {
	if f.whole != nil {
		return *f.whole, nil
	}
	list, err := f.plain(name)
	if err != nil {
		return Foreign{}, err
	}
	net, err := Named(list)
	if err != nil {
		return Foreign{}, fmt.Errorf("%s: %w: %w", name, ErrMismatch, err)
	}
	return net, nil
}

// plain are all tensors of the plain set.
func (f *ForeignFile) plain(name string) ([]Tensor, error) {
	keys := make([]string, len(f.Sets))
	for i, s := range f.Sets {
		keys[i] = s.Key
	}
	i := PlainSet(keys)
	if i < 0 {
		i = 0
	}
	for _, class := range f.Sets[i].Opaque {
		return nil, fmt.Errorf("%s: %w: %w", name, ErrTorch, &ClassError{class})
	}
	return f.Sets[i].Load(nil)
}

// Named gives tensors of PyTorch's files our names: see TorchvisionNames. Those of
// pretrained-models and of TF-slim are turned into our layouts.
func Named(list []Tensor) (Foreign, error) {
	list = TorchvisionNames(list)
	switch {
	case isCadene(list):
		return cadeneNetwork(list)
	case isSlim(list):
		return slimNetwork(list)
	}
	f := Foreign{Program: "PyTorch"}
	var of string
	f.Tensors, of = withOurNames(list)
	// Squeeze-and-excitation networks are the authors', from Caffe, or timm's: names tell which.
	switch {
	case of == "cadene":
		f.Windows = map[string]Window{"maxpool": {Stride: 2, Ceil: true}}
	case slices.ContainsFunc(list, func(t Tensor) bool { return strings.Contains(t.Name, ".se.fc1.") }):
		f.Windows = map[string]Window{"maxpool": {Stride: 2, Pad: 1}}
	}
	return f, nil
}

// ReverseColours exchanges the first and the last of three planes of area values, in place, and so
// on to the end: of an image [3, H, W], or of the weights [K, 3, R, S] that see it.
func ReverseColours(values []float32, area int) {
	for planes := range slices.Chunk(values, 3*area) {
		for i := range area {
			planes[i], planes[2*area+i] = planes[2*area+i], planes[i]
		}
	}
}

// foldBias moves the bias of a convolution into the normalisation that follows it: (x + b) - mean
// is x - (mean - b), in evaluation and, since batch statistics take the bias with them, in training
// too. It is of one rounding and leaves γ and β as they are.
func foldBias(mean, bias []float32) error {
	if len(mean) != len(bias) {
		return fmt.Errorf("%d biases before a normalisation of %d channels", len(bias), len(mean))
	}
	for i, b := range bias {
		mean[i] -= b
	}
	return nil
}
