package blocks

// net is what a block needs to draw itself, with T a place in the drawing: builderNet makes graph nodes of it, tracer a
// list of layers. Convolutions have no bias (batch normalisation follows each) and "same" padding, (kernel-1)/2.
type net[T any] interface {
	In(scope string) net[T]
	Conv(name string, x T, filters, kernel, stride int) T
	BatchNorm(name string, x T) T
	ReLU(x T) T
	Add(a, b T) T
	ShortcutPad(x T, filters, stride int, sides bool) T
	MaxPool(x T, kernel, stride, pad int) T
	GlobalAvgPool(x T) T
	Linear(name string, x T, classes int) T
}
