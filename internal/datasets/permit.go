package datasets

import (
	"runtime"
	"sync"
)

// maxDecode is how much memory decoding may take, in bytes: one picture, and all that the process
// decodes at a time. It is what the most pixels take with 16 bits a colour.
const maxDecode = 8 * maxImagePixels

// smallDecode is what a picture may take without asking: photographs of a data set do not wait for
// one another.
const smallDecode = maxDecode / 512

// keptDecode is what a picture may take whose buffers serve again for the next one: most
// photographs of a data set. A worker holds them outside of the budget.
const keptDecode = 8 * smallDecode

// pictures is the memory that pictures have at the moment.
var pictures = budget{free: maxDecode, most: maxDecode}

// budget hands out memory. What was given back is taken again only when the collector has had it:
// the sum of pictures in use and of dead ones stays within it.
type budget struct {
	mu         sync.Mutex
	some       sync.Cond
	free, most int64
	dead       int64 // given back since the last collection
}

// take waits until there is room for n bytes, which are at most the budget's.
func (b *budget) take(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.some.L = &b.mu
	for b.free < n {
		b.some.Wait()
	}
	b.free -= n
	if b.dead > b.free {
		b.dead = 0
		runtime.GC()
	}
}

func (b *budget) give(n int64) {
	b.mu.Lock()
	b.some.L = &b.mu
	b.free += n
	b.dead += n
	b.mu.Unlock()
	b.some.Broadcast()
}

// permit is memory that a picture has; the zero permit is none.
type permit struct{ bytes int64 }

// take replaces what the permit has by n bytes.
func (p *permit) take(n int64) {
	p.release()
	if n > smallDecode {
		pictures.take(n)
		p.bytes = n
	}
}

// release gives the memory back; the picture must not be used any more.
func (p *permit) release() {
	if p.bytes > 0 {
		pictures.give(p.bytes)
		p.bytes = 0
	}
}
