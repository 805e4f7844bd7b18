//go:build amd64 && !purego

package kernel

import "golang.org/x/sys/cpu"

func detect() []*implementation {
	var found []*implementation
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL && cpu.X86.HasFMA {
		found = append(found, avx512)
	}
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		found = append(found, avx2)
	}
	return found
}

var avx512 = &implementation{
	name:       "avx512",
	alternates: [3]bool{1: true},
	tile: [3][]func(*Tile){
		1: tiles[Tile](tile1x1AVX512, tile2x1AVX512, tile3x1AVX512, tile4x1AVX512, tile5x1AVX512, tile6x1AVX512, tile7x1AVX512, tile8x1AVX512, tile9x1AVX512, tile10x1AVX512, tile11x1AVX512, tile12x1AVX512, tile13x1AVX512, tile14x1AVX512, tile15x1AVX512, tile16x1AVX512),
		2: tiles[Tile](tile1x2AVX512, tile2x2AVX512, tile3x2AVX512, tile4x2AVX512, tile5x2AVX512, tile6x2AVX512, tile7x2AVX512, tile8x2AVX512, tile9x2AVX512, tile10x2AVX512, tile11x2AVX512, tile12x2AVX512, tile13x2AVX512, tile14x2AVX512),
	},
	grad: map[gradSize]func(*GradTile){
		{16, 1}: asm[GradTile](gradTile16x1AVX512),
		{8, 2}:  asm[GradTile](gradTile8x2AVX512),
		{3, 1}:  asm[GradTile](gradTile3x1AVX512),
	},
	gradSplit: [3][]int{1: {16}, 2: {8, 8}},
	gradTaps:  []tapsKernel{{7, asm[GradTile](gradTaps7AVX512)}, {3, asm[GradTile](gradTaps3AVX512)}},
	group: [2][]func(*GroupTile){
		tiles[GroupTile](group4x1AVX512, group4x2AVX512, group4x3AVX512, group4x4AVX512, group4x5AVX512, group4x6AVX512, group4x7AVX512, group4x8AVX512),
		tiles[GroupTile](group8x1AVX512, group8x2AVX512, group8x3AVX512, group8x4AVX512, group8x5AVX512, group8x6AVX512, group8x7AVX512, group8x8AVX512),
	},
	groupGrad: [2][]groupGrad{
		{{3, asm[GroupGrad](groupGrad4x3AVX512)}, {1, asm[GroupGrad](groupGrad4x1AVX512)}},
		{{3, asm[GroupGrad](groupGrad8x3AVX512)}, {1, asm[GroupGrad](groupGrad8x1AVX512)}},
	},
	winoInput:    asm[Transform](winoInputAVX512),
	winoOutput:   asm[Transform](winoOutputAVX512),
	winoSpread:   asm[Transform](winoSpreadAVX512),
	winoFilter:   asm[Transform](winoFilterAVX512),
	winoGather:   asm[Transform](winoGatherAVX512),
	copyRows:     asm[Affine](copyRowsAVX512),
	affine:       asm[Affine](affineAVX512),
	affineReLU:   asm[Affine](affineReLUAVX512),
	affinePReLU:  asm[Affine](affinePReLUAVX512),
	affine2:      asm[Affine](affine2AVX512),
	affine2ReLU:  asm[Affine](affine2ReLUAVX512),
	windowMax:    asm[Window](windowMaxAVX512),
	windowGrad:   asm[Window](windowGradAVX512),
	windowSum:    asm[Window](windowSumAVX512),
	windowSpread: asm[Window](windowSpreadAVX512),
	response:     asm[Response](responseAVX512),
	responseGrad: asm[Response](responseGradAVX512),
	elu:          asm[Activation](eluAVX512),
	eluGrad:      asm[Activation](eluGradAVX512),
	sigmoid:      asm[Activation](sigmoidAVX512),
	tanh:         asm[Activation](tanhAVX512),
	sigmoidGrad:  asm[Activation](sigmoidGradAVX512),
	expBelow:     asm[Activation](expBelowAVX512),
	dot: [2][]func(*DotTile){
		tiles[DotTile](dotTile1x1AVX512, dotTile2x1AVX512, dotTile3x1AVX512, dotTile4x1AVX512, dotTile5x1AVX512, dotTile6x1AVX512),
		tiles[DotTile](dotTile1x4AVX512, dotTile2x4AVX512, dotTile3x4AVX512, dotTile4x4AVX512, dotTile5x4AVX512, dotTile6x4AVX512),
	},
	rows:    tiles[RowTile](rowTile1AVX512, rowTile2AVX512, rowTile3AVX512, rowTile4AVX512, rowTile5AVX512, rowTile6AVX512, rowTile7AVX512, rowTile8AVX512),
	moments: asm[Moments](momentsAVX512),
	mask: [4][2]func(*Mask){
		{asm[Mask](maskAVX512), asm[Mask](maskAddAVX512)},
		{asm[Mask](maskByZAVX512), asm[Mask](maskByZAddAVX512)},
		{asm[Mask](maskByYAVX512), asm[Mask](maskByYAddAVX512)},
		{asm[Mask](maskSlopeAVX512), asm[Mask](maskSlopeAddAVX512)},
	},
	peak:   peakOf(peakAVX512, 768),
	narrow: narrowAVX512,
}

var avx2 = &implementation{
	name: "avx2",
	tile: [3][]func(*Tile){
		1: tiles[Tile](tile1x1AVX2, tile2x1AVX2, tile3x1AVX2, tile4x1AVX2, tile5x1AVX2, tile6x1AVX2),
	},
	grad: map[gradSize]func(*GradTile){
		{6, 1}: asm[GradTile](gradTile6x1AVX2),
		{5, 1}: asm[GradTile](gradTile5x1AVX2),
		{3, 1}: asm[GradTile](gradTile3x1AVX2),
	},
	gradSplit: [3][]int{1: {6, 5, 5}},
	gradTaps:  []tapsKernel{{2, asm[GradTile](gradTaps2AVX2)}},
	group: [2][]func(*GroupTile){
		tiles[GroupTile](group4x1AVX2, group4x2AVX2, group4x3AVX2, group4x4AVX2, group4x5AVX2, group4x6AVX2, group4x7AVX2, group4x8AVX2),
		tiles[GroupTile](group8x1AVX2, group8x2AVX2, group8x3AVX2, group8x4AVX2, group8x5AVX2, group8x6AVX2, group8x7AVX2, group8x8AVX2),
	},
	groupGrad: [2][]groupGrad{
		{{3, asm[GroupGrad](groupGrad4x3AVX2)}, {1, asm[GroupGrad](groupGrad4x1AVX2)}},
		{{1, asm[GroupGrad](groupGrad8x1AVX2)}},
	},
	winoInput:    asm[Transform](winoInputAVX2),
	winoOutput:   asm[Transform](winoOutputAVX2),
	winoSpread:   asm[Transform](winoSpreadAVX2),
	winoFilter:   asm[Transform](winoFilterAVX2),
	winoGather:   asm[Transform](winoGatherAVX2),
	copyRows:     asm[Affine](copyRowsAVX2),
	affine:       asm[Affine](affineAVX2),
	affineReLU:   asm[Affine](affineReLUAVX2),
	affinePReLU:  asm[Affine](affinePReLUAVX2),
	affine2:      asm[Affine](affine2AVX2),
	affine2ReLU:  asm[Affine](affine2ReLUAVX2),
	windowMax:    asm[Window](windowMaxAVX2),
	windowGrad:   asm[Window](windowGradAVX2),
	windowSum:    asm[Window](windowSumAVX2),
	windowSpread: asm[Window](windowSpreadAVX2),
	response:     asm[Response](responseAVX2),
	responseGrad: asm[Response](responseGradAVX2),
	elu:          asm[Activation](eluAVX2),
	eluGrad:      asm[Activation](eluGradAVX2),
	sigmoid:      asm[Activation](sigmoidAVX2),
	tanh:         asm[Activation](tanhAVX2),
	sigmoidGrad:  asm[Activation](sigmoidGradAVX2),
	expBelow:     asm[Activation](expBelowAVX2),
	dot: [2][]func(*DotTile){
		tiles[DotTile](dotTile1x1AVX2, dotTile2x1AVX2, dotTile3x1AVX2),
		tiles[DotTile](dotTile1x4AVX2, dotTile2x4AVX2, dotTile3x4AVX2),
	},
	rows:    tiles[RowTile](rowTile1AVX2, rowTile2AVX2, rowTile3AVX2, rowTile4AVX2),
	moments: asm[Moments](momentsAVX2),
	mask: [4][2]func(*Mask){
		{asm[Mask](maskAVX2), asm[Mask](maskAddAVX2)},
		{asm[Mask](maskByZAVX2), asm[Mask](maskByZAddAVX2)},
		{asm[Mask](maskByYAVX2), asm[Mask](maskByYAddAVX2)},
		{asm[Mask](maskSlopeAVX2), asm[Mask](maskSlopeAddAVX2)},
	},
	peak:   peakOf(peakAVX2, 192),
	narrow: narrowAVX2,
}
