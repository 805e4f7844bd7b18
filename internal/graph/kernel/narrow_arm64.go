//go:build arm64 && !purego

package kernel

var narrowNEON = narrowKernels{
	copyRows:    asm[NarrowAffine](narrowCopyRowsNEON),
	affine:      asm[NarrowAffine](narrowAffineNEON),
	affineReLU:  asm[NarrowAffine](narrowAffineReLUNEON),
	affinePReLU: asm[NarrowAffine](narrowAffinePReLUNEON),
	affine2:     asm[NarrowAffine](narrowAffine2NEON),
	affine2ReLU: asm[NarrowAffine](narrowAffine2ReLUNEON),
	round:       asm[NarrowMoments](narrowRoundNEON),
	moments:     asm[NarrowMoments](narrowMomentsNEON),
	mask: [4][2]func(*NarrowMask){
		{asm[NarrowMask](narrowMaskNEON), asm[NarrowMask](narrowMaskAddNEON)},
		{asm[NarrowMask](narrowMaskByZNEON), asm[NarrowMask](narrowMaskByZAddNEON)},
		{asm[NarrowMask](narrowMaskByYNEON), asm[NarrowMask](narrowMaskByYAddNEON)},
		{asm[NarrowMask](narrowMaskSlopeNEON), asm[NarrowMask](narrowMaskSlopeAddNEON)},
	},
}
