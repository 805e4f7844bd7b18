package weights

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"resnet/internal/input"
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

// ReadForeign reads the network of a file of another program, known by its first bytes and its
// structure: of PyTorch (safetensors or torch.save), Caffe (.caffemodel) or Chainer (HDF5). A
// tensor that is not of floating point has no values. No code of a pickle is run. It fails with
// ErrFormat, ErrTorch, ErrCaffe or ErrHDF5, and with a *ClassError among them for a pickle that
// names other classes than those of tensors.
func ReadForeign(path string) (Foreign, error) {
	f, err := input.Open(path)
	if errors.Is(err, input.ErrNotRegular) {
		return Foreign{}, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if err != nil {
		return Foreign{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Foreign{}, err
	}
	return readForeign(f, info.Size(), path)
}

// readForeign is ReadForeign of size bytes in r.
func readForeign(r io.ReaderAt, size int64, name string) (Foreign, error) {
	head := make([]byte, 9)
	n, err := r.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return Foreign{}, err
	}
	if n == len(head) && bytes.HasPrefix(head, hdf5Magic) {
		list, err := readHDF5(r, size)
		var f Foreign
		if err == nil {
			f, err = wrbnNetwork(list)
		}
		if err != nil {
			return Foreign{}, fmt.Errorf("%s: %w: %w", name, ErrHDF5, err)
		}
		return f, nil
	}
	// A safetensors header may begin with any byte: its JSON stands behind its length.
	if n < len(head) || head[8] != '{' {
		spans, isCaffe, err := caffeSpans(r, size)
		if isCaffe {
			var f Foreign
			if err == nil {
				f, err = caffeNetwork(r, spans)
			}
			if err != nil {
				return Foreign{}, fmt.Errorf("%s: %w: %w", name, ErrCaffe, err)
			}
			return f, nil
		}
	}
	list, err := readTensors(r, size, name)
	if err != nil {
		return Foreign{}, err
	}
	f, err := named(list)
	if err != nil {
		return Foreign{}, fmt.Errorf("%s: %w: %w", name, ErrMismatch, err)
	}
	return f, nil
}

// named gives tensors of PyTorch's files our names.
func named(list []Tensor) (Foreign, error) {
	list = TorchvisionNames(list)
	switch {
	case isCadene(list):
		return cadeneNetwork(list)
	case isSlim(list):
		return slimNetwork(list)
	}
	return Foreign{Tensors: list, Program: "PyTorch"}, nil
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
