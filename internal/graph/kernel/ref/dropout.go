package ref

// DropoutKey names one mask: the same key and element always give the same decision, on any number
// of threads.
type DropoutKey struct {
	Seed   uint64 // of the run
	Step   uint64 // of training
	Stream uint64 // of the layer
}

// Dropout is y = x / (1-p) where the mask keeps the element and 0 elsewhere (inverted dropout, as
// in PyTorch). The derivative is the same function of dy.
func Dropout[T Float](y, x []T, p float64, key DropoutKey) { DropoutFrom(y, x, p, key, 0) }

// DropoutFrom is Dropout of a part of a tensor whose first element is element `first` of the whole.
func DropoutFrom[T Float](y, x []T, p float64, key DropoutKey, first uint64) {
	scale := T(1 / (1 - p))
	base := key.base()
	for i, v := range x {
		if uniform(base, first+uint64(i)) < p {
			y[i] = 0
		} else {
			y[i] = v * scale
		}
	}
}

// base mixes the key into the origin of a counter.
func (k DropoutKey) base() uint64 { return mix(mix(mix(k.Seed)^k.Step) ^ k.Stream) }

// uniform is element i of the stream, in [0, 1), with 53 bits.
func uniform(base, i uint64) float64 { return float64(mix(base+i*0x9e3779b97f4a7c15)>>11) / (1 << 53) }

// mix is the finaliser of SplitMix64 (Steele, Lea and Flood 2014), after its increment.
func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// DropImages is Dropout of whole images: image first+i of the batch is dropped with all its values,
// or all of them are scaled. y, x [N, ...].
func DropImages[T Float](y, x []T, images int, p float64, key DropoutKey, first uint64) {
	scale, base, per := T(1/(1-p)), key.base(), len(x)/images
	for i := range images {
		if uniform(base, first+uint64(i)) < p {
			clear(y[i*per : (i+1)*per])
			continue
		}
		for j := i * per; j < (i+1)*per; j++ {
			y[j] = x[j] * scale
		}
	}
}
