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
	gradSplit: [3][]int{1: {6, 5, 5}},
	gradTaps:  []tapsKernel{{2, asm[GradTile](gradTaps2NEON)}},
	group: [2][]func(*GroupTile){
		tiles[GroupTile](group4x1NEON, group4x2NEON, group4x3NEON, group4x4NEON, group4x5NEON, group4x6NEON, group4x7NEON, group4x8NEON),
		tiles[GroupTile](group8x1NEON, group8x2NEON, group8x3NEON, group8x4NEON, group8x5NEON, group8x6NEON, group8x7NEON, group8x8NEON),
	},
	groupGrad: [2][]groupGrad{
		{{3, asm[GroupGrad](groupGrad4x3NEON)}, {1, asm[GroupGrad](groupGrad4x1NEON)}},
		{{1, asm[GroupGrad](groupGrad8x1NEON)}},
	},
	winoInput:    asm[Transform](winoInputNEON),
	winoOutput:   asm[Transform](winoOutputNEON),
	winoSpread:   asm[Transform](winoSpreadNEON),
	winoFilter:   asm[Transform](winoFilterNEON),
	winoGather:   asm[Transform](winoGatherNEON),
	copyRows:     asm[Affine](copyRowsNEON),
	affine:       asm[Affine](affineNEON),
	affineReLU:   asm[Affine](affineReLUNEON),
	affinePReLU:  asm[Affine](affinePReLUNEON),
	affine2:      asm[Affine](affine2NEON),
	affine2ReLU:  asm[Affine](affine2ReLUNEON),
	windowMax:    asm[Window](windowMaxNEON),
	windowGrad:   asm[Window](windowGradNEON),
	windowSum:    asm[Window](windowSumNEON),
	windowSpread: asm[Window](windowSpreadNEON),
	response:     asm[Response](responseNEON),
	responseGrad: asm[Response](responseGradNEON),
	elu:          asm[Activation](eluNEON),
	eluGrad:      asm[Activation](eluGradNEON),
	sigmoid:      asm[Activation](sigmoidNEON),
	tanh:         asm[Activation](tanhNEON),
	sigmoidGrad:  asm[Activation](sigmoidGradNEON),
	expBelow:     asm[Activation](expBelowNEON),
	dot: [2][]func(*DotTile){
		tiles[DotTile](dotTile1x1NEON, dotTile2x1NEON, dotTile3x1NEON, dotTile4x1NEON, dotTile5x1NEON, dotTile6x1NEON),
		tiles[DotTile](dotTile1x4NEON, dotTile2x4NEON, dotTile3x4NEON, dotTile4x4NEON, dotTile5x4NEON, dotTile6x4NEON),
	},
	rows:    tiles[RowTile](rowTile1NEON, rowTile2NEON, rowTile3NEON, rowTile4NEON, rowTile5NEON, rowTile6NEON),
	moments: asm[Moments](momentsNEON),
	mask: [4][2]func(*Mask){
		{asm[Mask](maskNEON), asm[Mask](maskAddNEON)},
		{asm[Mask](maskByZNEON), asm[Mask](maskByZAddNEON)},
		{asm[Mask](maskByYNEON), asm[Mask](maskByYAddNEON)},
		{asm[Mask](maskSlopeNEON), asm[Mask](maskSlopeAddNEON)},
	},
	peak:   peakOf(peakNEON, 192),
	narrow: narrowNEON,
}
