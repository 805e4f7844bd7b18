//go:build arm64 && !purego

package kernel

// detect finds NEON: every 64-bit Arm processor has it.
func detect() []*implementation { return []*implementation{neon} }

var neon = &implementation{
	name: "neon",
	tile: [3][]func(*Tile){
		1: tiles[Tile](tile1x1NEON, tile2x1NEON, tile3x1NEON, tile4x1NEON, tile5x1NEON, tile6x1NEON),
	},
	grad: map[gradSize]func(*GradTile){
		{6, 1}: asm[GradTile](gradTile6x1NEON),
		{5, 1}: asm[GradTile](gradTile5x1NEON),
		{3, 1}: asm[GradTile](gradTile3x1NEON),
	},
	gradSplit:   [3][]int{1: {6, 5, 5}},
	gradTaps:    []tapsKernel{{2, asm[GradTile](gradTaps2NEON)}},
	group:       generic.group,
	groupGrad:   generic.groupGrad,
	winoInput:   asm[Transform](winoInputNEON),
	winoOutput:  asm[Transform](winoOutputNEON),
	winoSpread:  asm[Transform](winoSpreadNEON),
	winoFilter:  asm[Transform](winoFilterNEON),
	winoGather:  asm[Transform](winoGatherNEON),
	copyRows:    asm[Affine](copyRowsNEON),
	affine:      asm[Affine](affineNEON),
	affineReLU:  asm[Affine](affineReLUNEON),
	affinePReLU: asm[Affine](affinePReLUNEON),
	affine2:     asm[Affine](affine2NEON),
	affine2ReLU: asm[Affine](affine2ReLUNEON),
	windowMax:   genericWindowMax, windowGrad: genericWindowGrad, windowSum: genericWindowSum, windowSpread: genericWindowSpread,
	response: genericResponse, responseGrad: genericResponseGrad,
	dot: generic.dot, rows: generic.rows,
	moments: asm[Moments](momentsNEON),
	mask: [4][2]func(*Mask){
		{asm[Mask](maskNEON), asm[Mask](maskAddNEON)},
		{asm[Mask](maskByZNEON), asm[Mask](maskByZAddNEON)},
		{asm[Mask](maskByYNEON), asm[Mask](maskByYAddNEON)},
		{asm[Mask](maskSlopeNEON), asm[Mask](maskSlopeAddNEON)},
	},
	peak: peakOf(peakNEON, 192),
}
