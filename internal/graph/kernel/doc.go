// Package kernel holds the inner loops of the schedule: loops over []float32 without any knowledge
// of graphs.
//
// Layout. Activations are blocked: [N, CB, H, W, 16] with CB = ceil(C/16); channels past C are
// zero. A "pixel" is one vector of 16 channels, 64 bytes. Weights of a tile kernel are [tap][input
// channel][16 output channels]. Package ref has the same operators on row-major [N, C, H, W]
// tensors, generic over float32 and float64: that is their mathematical specification.
//
// Every kernel is an argument struct with a method. The method checks the lengths (and panics with
// a constant string: a caller's bug, never a user's), then calls the implementation chosen at
// start: AVX-512, AVX2, NEON or plain Go. The plain Go code in *_generic.go is the specification of
// the assembly, the path on other CPUs, and what `-tags purego` builds. Strides and lengths are
// counted in float32 values.
//
// # How to add a kernel
//
// Write the argument struct with the reference loop as its doc comment, the plain Go code, a
// generator in _asm (amd64) and _asm/arm64, an entry in the table of each instruction set in
// dispatch_amd64.go and dispatch_arm64.go, and a case in kernel_test.go, which compares every
// implementation with plain Go on awkward sizes between guard words. `make generate` writes the
// assembly; `make check-generate` proves that what is committed is what the generators write. For
// arm64 the tests run under qemu-user: `make test-arm64`.
//
// # Why argument structs
//
// The kernels take ten to twenty numbers; a struct is read by name at both ends, lives in the
// worker that calls it (so a call allocates nothing), and its slices carry the lengths that the
// checks need.
package kernel
