// Package pixel changes images of bytes as Pillow does, to the byte: the operations of
// torchvision's augmentation of PIL images. An Editor works in place on planes of one channel or of
// red, green and blue.
//
// # Why Pillow's roundings
//
// A recipe that was tuned with these operations is only the same recipe with the same pixels, and
// equal bytes can be tested where similar ones cannot. So 16.16 fixed-point coordinates, blending
// in float32 and smoothing sums keep Pillow's order of operations; each function names its origin.
package pixel
