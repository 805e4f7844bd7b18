//go:build amd64 && !purego

package kernel

import "golang.org/x/sys/cpu"

func detectBF16() (found []*bf16Kernels) {
	if !cpu.X86.HasAVX512BF16 || !cpu.X86.HasAVX512F || !cpu.X86.HasAVX512BW || !cpu.X86.HasAVX512VL {
		return nil
	}
	if cpu.X86.HasAMXBF16 {
		// Such a processor does half as many products with AVX512_BF16 as in float32 (a Xeon).
		if !permitAMX() {
			return nil
		}
		found = append(found, amx)
	}
	return append(found, avx512BF16)
}

var amx = &bf16Kernels{
	name:   "amx",
	tiles:  true,
	strip:  evenStrips,
	tile:   amxTile,
	grad:   amxGrad,
	concat: asm[Joined](bf16ConcatAVX512), interleave: asm[Joined](bf16InterleaveAVX512), transpose: asm[Transposed](bf16TransposeAVX512), gather: asm[Gathered](bf16GatherAVX512), mix: asm[Mixed](bf16MixAVX512),
}

var avx512BF16 = &bf16Kernels{
	name:   "avx512_bf16",
	strip:  avx512Strips,
	tile:   avx512Tile,
	grad:   avx512Grad,
	concat: asm[Joined](bf16ConcatAVX512), interleave: asm[Joined](bf16InterleaveAVX512), transpose: asm[Transposed](bf16TransposeAVX512), gather: asm[Gathered](bf16GatherAVX512), mix: asm[Mixed](bf16MixAVX512),
}

// evenStrips divides a row into the fewest strips.
func evenStrips(width int) int {
	n := (width + BF16Strip - 1) / BF16Strip
	return (width + n - 1) / n
}

// tileShapes are the shapes of tiles of so many pixels: 0 to 3 are sums, 4 and 5 inputs, 6 and 7
// weights. With one block of outputs 6 is an input, too.
var tileShapes = func() (shapes [2][BF16Strip + 1][64]byte) {
	for nb := range shapes {
		for np := range shapes[nb] {
			s := &shapes[nb][np]
			s[0] = 1 // palette
			for tile := range 8 {
				s[16+2*tile] = 64 // bytes of a row
				s[48+tile] = byte(np)
			}
			s[48+7] = 16
			if nb == 1 {
				s[48+6] = 16
			}
		}
	}
	return shapes
}()

var (
	amxTiles = [2]func(*BF16Tile){asm[BF16Tile](bf16Tile4x1AMX), asm[BF16Tile](bf16Tile2x2AMX)}
	amxGrads = [2]func(*BF16Grad){asm[BF16Grad](bf16Grad4x1AMX), asm[BF16Grad](bf16Grad2x2AMX)}
)

func amxTile(t *BF16Tile, np, nb int) {
	t.config = &tileShapes[nb-1][np]
	inRounds(&t.At, &t.last, 8/nb, func() { amxTiles[nb-1](t) })
}

func amxGrad(t *BF16Grad, nb int) {
	t.config = &tileShapes[nb-1][BF16Strip]
	inRounds(&t.At, &t.last, 8/nb, func() { amxGrads[nb-1](t) })
}

// inRounds runs f for so many values of a list at a time: at the end the last place is taken again,
// which gives what it gave.
func inRounds(list *[]int, last *[8]int, round int, f func()) {
	all := *list
	whole := len(all) / round * round
	if *list = all[:whole]; whole > 0 {
		f()
	}
	if rest := all[whole:]; len(rest) > 0 {
		for i := range round {
			last[i] = rest[min(i, len(rest)-2+i%2)]
		}
		*list = last[:round]
		f()
	}
	*list = all
}

// avx512Sizes are the strips that there are kernels of.
var avx512Sizes = [...]int{14, 8, 7, 4, 1}

// avx512Strips takes the size that computes the fewest pixels twice.
func avx512Strips(width int) int {
	best, pixels := 1, width*2 // a pixel alone leaves most sums unused
	for _, np := range avx512Sizes {
		if n := (width + np - 1) / np * np; np <= width && n < pixels {
			best, pixels = np, n
		}
	}
	return best
}

var avx512Tiles = func() (table [BF16Strip + 1][3]func(*BF16Tile)) {
	for i, k := range [...][2]func(*byte){
		{bf16Tile14x1AVX512, bf16Tile14x2AVX512},
		{bf16Tile8x1AVX512, bf16Tile8x2AVX512},
		{bf16Tile7x1AVX512, bf16Tile7x2AVX512},
		{bf16Tile4x1AVX512, bf16Tile4x2AVX512},
		{bf16Tile1x1AVX512, bf16Tile1x2AVX512},
	} {
		table[avx512Sizes[i]] = [3]func(*BF16Tile){1: asm[BF16Tile](k[0]), 2: asm[BF16Tile](k[1])}
	}
	return table
}()

func avx512Tile(t *BF16Tile, np, nb int) { avx512Tiles[np][nb](t) }

func avx512Grad(t *BF16Grad, nb int) {
	dy, dw := t.DY, t.DW
	for b := range nb {
		t.DY, t.DW = dy[b*t.DY2:], dw[b*t.DW2:]
		bf16Grads(t)
	}
	t.DY, t.DW = dy, dw
}

var bf16Grads = asm[BF16Grad](bf16GradAVX512)
