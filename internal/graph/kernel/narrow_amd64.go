//go:build amd64 && !purego

package kernel

var narrowAVX512 = narrowKernels{
	copyRows:    asm[NarrowAffine](narrowCopyRowsAVX512),
	affine:      asm[NarrowAffine](narrowAffineAVX512),
	affineReLU:  asm[NarrowAffine](narrowAffineReLUAVX512),
	affinePReLU: asm[NarrowAffine](narrowAffinePReLUAVX512),
	affine2:     asm[NarrowAffine](narrowAffine2AVX512),
	affine2ReLU: asm[NarrowAffine](narrowAffine2ReLUAVX512),
	round:       asm[NarrowMoments](narrowRoundAVX512),
	moments:     asm[NarrowMoments](narrowMomentsAVX512),
	mask: [4][2]func(*NarrowMask){
		{asm[NarrowMask](narrowMaskAVX512), asm[NarrowMask](narrowMaskAddAVX512)},
		{asm[NarrowMask](narrowMaskByZAVX512), asm[NarrowMask](narrowMaskByZAddAVX512)},
		{asm[NarrowMask](narrowMaskByYAVX512), asm[NarrowMask](narrowMaskByYAddAVX512)},
		{asm[NarrowMask](narrowMaskSlopeAVX512), asm[NarrowMask](narrowMaskSlopeAddAVX512)},
	},
}

var narrowAVX2 = narrowKernels{
	copyRows:    asm[NarrowAffine](narrowCopyRowsAVX2),
	affine:      asm[NarrowAffine](narrowAffineAVX2),
	affineReLU:  asm[NarrowAffine](narrowAffineReLUAVX2),
	affinePReLU: asm[NarrowAffine](narrowAffinePReLUAVX2),
	affine2:     asm[NarrowAffine](narrowAffine2AVX2),
	affine2ReLU: asm[NarrowAffine](narrowAffine2ReLUAVX2),
	round:       asm[NarrowMoments](narrowRoundAVX2),
	moments:     asm[NarrowMoments](narrowMomentsAVX2),
	mask: [4][2]func(*NarrowMask){
		{asm[NarrowMask](narrowMaskAVX2), asm[NarrowMask](narrowMaskAddAVX2)},
		{asm[NarrowMask](narrowMaskByZAVX2), asm[NarrowMask](narrowMaskByZAddAVX2)},
		{asm[NarrowMask](narrowMaskByYAVX2), asm[NarrowMask](narrowMaskByYAddAVX2)},
		{asm[NarrowMask](narrowMaskSlopeAVX2), asm[NarrowMask](narrowMaskSlopeAddAVX2)},
	},
}
