package kernel

import "math"

// BFloat16 is the upper half of a float32: its range, and eight bits of its mantissa.
type BFloat16 uint16

// ToBFloat16 rounds to nearest, ties to even. A NaN stays one.
func ToBFloat16(f float32) BFloat16 {
	u := math.Float32bits(f)
	if f != f {
		return BFloat16(u>>16 | 0x40)
	}
	return BFloat16((u + 0x7fff + u>>16&1) >> 16)
}

// Float32 is the value.
func (b BFloat16) Float32() float32 { return math.Float32frombits(uint32(b) << 16) }
