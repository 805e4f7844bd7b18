package ref

// Flatten puts images side by side, each as a row: xs[i] [N, lens[i]] become y [N, Σ lens].
func Flatten[T Float](y []T, n int, lens []int, xs ...[]T) { Concat(y, n, 1, lens, xs...) }

// FlattenGrad takes the values [from, from+count) of each of the n rows of dy [N, total]: dx [N,
// count].
func FlattenGrad[T Float](dx, dy []T, n, total, from, count int) {
	ConcatGrad(dx, dy, ImageShape{N: n, C: total, H: 1, W: 1}, from, from+count)
}
