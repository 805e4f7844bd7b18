package kernel

import (
	"fmt"
	"strings"
)

// implementation is one instruction set's kernels. A nil entry of tile or grad means that this size
// does not exist.
type implementation struct {
	name string
	// tile[nb][np] computes np pixels by nb blocks of 16 channels.
	tile [3][]func(*Tile)
	// alternates says of nb blocks that several sums of a pixel alternate, in an order that depends
	// on np.
	alternates [3]bool
	// grad holds the outer-product kernels; gradSplit covers 16 input channels with them.
	grad      map[gradSize]func(*GradTile)
	gradSplit [3][]int
	// gradTaps computes three input channels for several taps together, most first.
	gradTaps []tapsKernel

	// group[i][np] computes np pixels in groups of 4 (i = 0) or 8 channels; groupGrad their weight
	// gradients, most taps first.
	group     [2][]func(*GroupTile)
	groupGrad [2][]groupGrad

	winoInput, winoOutput, winoSpread, winoFilter, winoGather func(*Transform)

	copyRows, affine, affineReLU, affinePReLU, affine2, affine2ReLU func(*Affine)

	windowMax, windowGrad, windowSum, windowSpread func(*Window)

	response, responseGrad func(*Response)

	elu, eluGrad, sigmoid, sigmoidGrad, tanh, expBelow func(*Activation)

	dot  [2][]func(*DotTile) // of 1 and of dotWeights rows of weights, by rows of X
	rows []func(*RowTile)    // by rows

	moments func(*Moments)
	mask    [4][2]func(*Mask) // by MaskBy, then without and with addend
	peak    func(n int) (flops float64)
	narrow  narrowKernels
}

type gradSize struct{ ni, nb int }

// tapsKernel takes a multiple of so many taps.
type tapsKernel struct {
	taps int
	run  func(*GradTile)
}

// groupGrad takes a multiple of so many taps.
type groupGrad struct {
	taps int
	run  func(*GroupGrad)
}

var (
	available = append(detect(), generic) // best first
	active    = available[0]
)

// Active names the implementation in use: avx512, avx2, neon or generic.
func Active() string { return active.name }

// Available lists the implementations that this build has and this CPU can run, best first.
func Available() []string {
	names := make([]string, len(available))
	for i, im := range available {
		names[i] = im.name
	}
	return names
}

// Use chooses an implementation by name. It is meant for program start and for tests: it must not
// be called while kernels run.
func Use(name string) error {
	for _, im := range available {
		if im.name == name {
			active = im
			return nil
		}
	}
	return fmt.Errorf("kernel: no implementation %q on this CPU: use one of %s", name, strings.Join(Available(), ", "))
}
