package jpeg

// lookBits is how many bits of a code are looked up at once: 2 KB a table, and few codes of a
// photograph are longer.
const lookBits = 10

// table decodes one Huffman code (T.81, annex C and F.2.2.3).
type table struct {
	count int // codes; 0 before it has been defined
	// whole holds, for the next lookBits bits, what they decode to if a code and the bits of its
	// value are among them:
	//
	//	value<<16 | run<<8 | bits
	//
	// The end of a block is a run of endRun. Otherwise it is 0.
	whole [1 << lookBits]int32
	// symbol is symbol<<8 | bits of the code, or 0 if it is longer.
	symbol [1 << lookBits]uint16
	// limit is the first code past those of a length, followed by zeros to 16 bits and one more,
	// shift what is added to a code to find its symbol.
	limit  [17]uint32
	offset [17]int32
	values [256]byte
}

// endRun is past every coefficient, so that a run of it ends a block.
const endRun = 128

// define reads one table of a DHT segment and gives the rest. ac says whether symbols are runs and
// sizes, or sizes alone.
func (t *table) define(in *input, body []byte, ac bool) ([]byte, error) {
	if len(body) < 16 {
		return nil, in.invalid("DHT has wrong length")
	}
	total := 0
	for _, n := range body[:16] {
		total += int(n)
	}
	if total > 256 {
		return nil, in.invalid("Huffman table has excessive length")
	}
	if len(body) < 16+total {
		return nil, in.invalid("DHT has wrong length")
	}
	*t = table{count: total}
	copy(t.values[:], body[16:16+total])
	code, k := 0, 0
	for length := 1; length <= 16; length++ {
		n := int(body[length-1])
		t.offset[length] = int32(k - code)
		if code+n > 1<<length {
			t.count = 0
			return nil, in.invalid("Huffman codes of %d bits do not fit", length)
		}
		for range n {
			if length <= lookBits {
				t.enter(code, length, t.values[k], ac)
			}
			code++
			k++
		}
		t.limit[length] = uint32(code) << (16 - length)
		code <<= 1
	}
	return body[16+total:], nil
}

// enter fills in all lookups that begin with a code.
func (t *table) enter(code, length int, symbol byte, ac bool) {
	free := lookBits - length
	run, size := int32(0), int(symbol)
	if ac {
		run, size = int32(symbol>>4), int(symbol&15)
	}
	for tail := range 1 << free {
		i := code<<free | tail
		t.symbol[i] = uint16(symbol)<<8 | uint16(length)
		switch {
		case ac && size == 0 && run < 15:
			// In a progressive scan a run of blocks that end; of a sequential one, libjpeg takes
			// each for the end of one block.
			t.whole[i] = endRun<<8 | int32(length)
		case size <= free && size <= 15:
			v := extend(tail>>(free-size), size)
			t.whole[i] = int32(v)<<16 | run<<8 | int32(length+size)
		}
	}
}

// extend makes a value of its size and bits (T.81, F.12): those that begin with 0 are negative.
func extend(bits, size int) int {
	if size > 0 && bits < 1<<(size-1) {
		return bits - 1<<size + 1
	}
	return bits
}
