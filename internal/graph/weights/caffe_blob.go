package weights

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"resnet/internal/input"
)

// The fields of a BlobProto. The first four are its shape in files of before 2015, the gradients of
// a snapshot (6 and 9) are passed over.
const (
	blobNum, blobChannels, blobHeight, blobWidth protowire.Number = 1, 2, 3, 4
	blobData, blobShape, blobDoubles             protowire.Number = 5, 7, 8
)

// maxBlobRank is the most dimensions that Caffe's blobs have.
const maxBlobRank = 32

// caffeBlob reads a BlobProto: values as float32, in a shape that has as many.
func caffeBlob(b []byte) (Tensor, error) {
	t := Tensor{DType: F32, Shape: []int{}}
	legacy, old := [4]int{}, false
	doubles := false
	err := eachField(b, func(x field) error {
		var err error
		switch x.num {
		case blobNum, blobChannels, blobHeight, blobWidth:
			old = true
			legacy[x.num-1], err = x.number()
		case blobShape:
			err = eachField(x.bytes, func(d field) error {
				if d.num != 1 {
					return nil
				}
				var err error
				t.Shape, err = d.numbers(t.Shape, maxBlobRank)
				return err
			})
		case blobData, blobDoubles:
			if len(t.Data) > 0 && doubles != (x.num == blobDoubles) {
				return errors.New("a blob of both float and double values")
			}
			doubles = x.num == blobDoubles
			t.Data, err = x.values(t.Data, map[bool]DType{false: F32, true: F64}[doubles])
		}
		return err
	})
	if err != nil {
		return t, err
	}
	if len(t.Shape) == 0 && old {
		t.Shape = legacy[:]
	}
	n := 1
	for _, d := range t.Shape {
		if d == 0 || n > len(t.Data)/d {
			n = -1
			break
		}
		n *= d
	}
	if n != len(t.Data) {
		return t, fmt.Errorf("a blob of shape %v with %d values", t.Shape, len(t.Data))
	}
	return t, nil
}

// maxMeanImage is the largest file of a mean image, in bytes: 4096x4096 pixels of doubles.
const maxMeanImage = 3 * 4096 * 4096 * 8

// ReadCaffeMean reads a mean image that Caffe wrote (.binaryproto): its values [C, H, W], of images
// of 0 to 255, three channels in the order blue, green, red as Caffe has them. It fails with
// ErrCaffe.
func ReadCaffeMean(path string) (values []float32, shape [3]int, err error) {
	bad := func(err error) ([]float32, [3]int, error) {
		return nil, shape, fmt.Errorf("%s: %w: a mean image: %w", path, ErrCaffe, err)
	}
	b, err := input.Read(path, maxMeanImage)
	if errors.Is(err, input.ErrNotRegular) || errors.Is(err, input.ErrTooLarge) {
		return bad(err)
	}
	if err != nil {
		return nil, shape, err
	}
	t, err := caffeBlob(b)
	if err != nil {
		return bad(err)
	}
	dims := t.Shape
	for len(dims) > 3 && dims[0] == 1 {
		dims = dims[1:]
	}
	if len(dims) != 3 {
		return bad(fmt.Errorf("shape %v, want [1 channels height width]", t.Shape))
	}
	copy(shape[:], dims)
	return t.Data, shape, nil
}
