package weights

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
)

// ErrCaffe marks a network or a mean image of Caffe that cannot be read.
var ErrCaffe = errors.New("not a file of Caffe that can be read")

// The fields of a NetParameter that hold layers, in Caffe's first form and in the present one.
const (
	netLayersV1 protowire.Number = 2
	netLayer    protowire.Number = 100
)

// netFields are the wire types of a NetParameter's fields: name, layers, input, input_dim,
// force_backward, state, debug_info, input_shape, layer.
var netFields = map[protowire.Number]protowire.Type{
	1: protowire.BytesType, netLayersV1: protowire.BytesType, 3: protowire.BytesType, 4: protowire.VarintType, 5: protowire.VarintType,
	6: protowire.BytesType, 7: protowire.VarintType, 8: protowire.BytesType, netLayer: protowire.BytesType,
}

// Limits of a network, far above any known one: ResNet-152 has 1200 layers and 3 blobs in the
// largest.
const (
	maxCaffeLayers = 1 << 16
	maxCaffeBlobs  = 64
)

// caffeLayer is a layer with what decides its result.
type caffeLayer struct {
	name, kind   string
	bottom, top  string // the first of each
	blobs        []Tensor
	window       Window // of a convolution or pooling
	hasWindow    bool
	group        int
	dilation     int
	transposed   bool    // of a fully connected layer's weights
	eps          float64 // of a normalisation; 0 where the file does not say
	globalWindow bool    // pools the whole map
}

// layerFields are the numbers of a layer's fields in one of the two forms; 0 where it has none.
type layerFields struct {
	name, kind, bottom, top, blobs, conv, pool, product, norm protowire.Number
}

var (
	fieldsV1  = layerFields{name: 4, kind: 5, bottom: 2, top: 3, blobs: 6, conv: 10, pool: 19, product: 17}
	fieldsNow = layerFields{name: 1, kind: 2, bottom: 3, top: 4, blobs: 7, conv: 106, pool: 121, product: 117, norm: 139}
)

// kindsV1 are the kinds of layers of the first form that matter here.
var kindsV1 = map[uint64]string{4: "Convolution", 14: "InnerProduct", 15: "LRN", 17: "Pooling", 18: "ReLU"}

// caffeSpan is where the bytes of a layer stand in a file.
type caffeSpan struct {
	num   protowire.Number
	at, n int64
}

// caffeSpans walks the fields of a NetParameter of size bytes without reading what is in them. ok
// says that the file begins as a network: only its fields, and at least one layer.
func caffeSpans(r io.ReaderAt, size int64) (layers []caffeSpan, ok bool, err error) {
	in := bufio.NewReaderSize(io.NewSectionReader(r, 0, size), 4096)
	at := int64(0)
	varint := func() (uint64, error) { return binary.ReadUvarint(counter{in, &at}) }
	fields := 0
	for at < size {
		tag, err := varint()
		if err != nil {
			return layers, len(layers) > 0, errTruncated
		}
		num, typ := protowire.DecodeTag(tag)
		if want, known := netFields[num]; !known || want != typ {
			return layers, len(layers) > 0, fmt.Errorf("field %d is not one of a network", num)
		}
		if fields++; fields > 4*maxCaffeLayers {
			return layers, true, errors.New("too many fields")
		}
		n, err := varint()
		if err != nil {
			return layers, len(layers) > 0, errTruncated
		}
		if typ != protowire.BytesType {
			continue
		}
		isLayer := num == netLayer || num == netLayersV1
		if n > uint64(size-at) {
			return layers, isLayer || len(layers) > 0, errTruncated
		}
		if isLayer {
			if len(layers) == maxCaffeLayers {
				return layers, true, fmt.Errorf("more than %d layers", maxCaffeLayers)
			}
			layers = append(layers, caffeSpan{num, at, int64(n)})
		}
		if err := skip(in, r, &at, size, int64(n)); err != nil {
			return layers, len(layers) > 0, err
		}
	}
	return layers, len(layers) > 0, nil
}

// counter counts the bytes that are read one by one.
type counter struct {
	in io.ByteReader
	at *int64
}

func (c counter) ReadByte() (byte, error) {
	*c.at++
	return c.in.ReadByte()
}

var errTruncated = errors.New("it ends within a layer: truncated?")

// skip moves in, a buffer over r, n bytes on.
func skip(in *bufio.Reader, r io.ReaderAt, at *int64, size, n int64) error {
	*at += n
	if n <= int64(in.Buffered()) {
		_, err := in.Discard(int(n))
		return err
	}
	in.Reset(io.NewSectionReader(r, *at, size-*at))
	return nil
}

// readCaffe reads the layers of a network, one at a time.
func readCaffe(r io.ReaderAt, spans []caffeSpan) ([]caffeLayer, error) {
	layers := make([]caffeLayer, 0, len(spans))
	for i, s := range spans {
		b := make([]byte, s.n) // at most the size of the file
		if n, err := r.ReadAt(b, s.at); n < len(b) {
			return nil, fmt.Errorf("layer %d: %w", i, err)
		}
		l, err := parseCaffeLayer(b, s.num)
		if err != nil {
			return nil, fmt.Errorf("layer %d %q: %w", i, l.name, err)
		}
		layers = append(layers, l)
	}
	return layers, nil
}

func parseCaffeLayer(b []byte, form protowire.Number) (caffeLayer, error) {
	f := fieldsNow
	if form == netLayersV1 {
		f = fieldsV1
	}
	l := caffeLayer{group: 1, dilation: 1}
	err := eachField(b, func(x field) error {
		var err error
		switch x.num {
		case f.name:
			l.name, err = x.text()
		case f.kind:
			if form == netLayersV1 {
				l.kind = kindsV1[x.value]
			} else {
				l.kind, err = x.text()
			}
		case f.bottom:
			err = first(&l.bottom, x)
		case f.top:
			err = first(&l.top, x)
		case f.blobs:
			if x.typ != protowire.BytesType || len(l.blobs) == maxCaffeBlobs {
				return fmt.Errorf("its values: %w", errWire)
			}
			var blob Tensor
			if blob, err = caffeBlob(x.bytes); err != nil {
				return fmt.Errorf("blob %d: %w", len(l.blobs), err)
			}
			l.blobs = append(l.blobs, blob)
		case f.conv:
			l.window, l.hasWindow = Window{Stride: 1}, true
			err = eachField(x.bytes, l.convField)
		case f.pool:
			l.window, l.hasWindow = Window{Stride: 1, Ceil: true}, true
			err = eachField(x.bytes, l.poolField)
		case f.product:
			err = eachField(x.bytes, func(y field) error {
				l.transposed = l.transposed || y.num == 6 && y.value != 0
				return nil
			})
		case f.norm:
			err = eachField(x.bytes, func(y field) error {
				if y.num == 3 && y.typ == protowire.Fixed32Type {
					l.eps = shortest(math.Float32frombits(uint32(y.value)))
				}
				return nil
			})
		}
		return err
	})
	return l, err
}

// first keeps the first of a repeated text.
func first(to *string, x field) error {
	text, err := x.text()
	if *to == "" {
		*to = text
	}
	return err
}

// shortest is the number that a float32 was written as: 1e-5, not the nearest float32 to it.
func shortest(v float32) float64 {
	d, _ := strconv.ParseFloat(strconv.FormatFloat(float64(v), 'g', -1, 32), 64)
	return d
}

// convField reads a field of a ConvolutionParameter.
func (l *caffeLayer) convField(x field) error {
	var err error
	switch x.num {
	case 3:
		err = square(&l.window.Pad, x)
	case 4:
		err = square(&l.window.Kernel, x)
	case 6:
		err = square(&l.window.Stride, x)
	case 18:
		err = square(&l.dilation, x)
	case 5:
		l.group, err = x.number()
	case 9, 10:
		l.window.Pad, err = x.number()
	case 11, 12:
		l.window.Kernel, err = x.number()
	case 13, 14:
		l.window.Stride, err = x.number()
	}
	return err
}

// poolField reads a field of a PoolingParameter.
func (l *caffeLayer) poolField(x field) error {
	to := map[protowire.Number]*int{
		2: &l.window.Kernel, 5: &l.window.Kernel, 6: &l.window.Kernel, 3: &l.window.Stride, 7: &l.window.Stride, 8: &l.window.Stride,
		4: &l.window.Pad, 9: &l.window.Pad, 10: &l.window.Pad,
	}[x.num]
	if to != nil {
		n, err := x.number()
		*to = n
		return err
	}
	if x.num == 12 && x.value != 0 {
		l.globalWindow = true
	}
	if x.num == 13 {
		l.window.Ceil = x.value == 0
	}
	return nil
}

// square reads a size that a convolution gives once, or for both axes.
func square(to *int, x field) error {
	list, err := x.numbers(nil, 2)
	for _, n := range list {
		*to = n
	}
	return err
}
