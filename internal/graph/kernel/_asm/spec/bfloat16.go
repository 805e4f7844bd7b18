package spec

// BF16Strips are the pixels of the kernels of AVX512_BF16.
var BF16Strips = []int{1, 4, 7, 8, 14}

// BF16Tap is the number of weights of a tap and a block of output channels.
const BF16Tap = 512
