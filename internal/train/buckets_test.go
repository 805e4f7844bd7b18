package train

import (
	"slices"
	"sync"
	"testing"

	"resnet/internal/graph"
	"resnet/internal/train/collective"
)

// countedGroup notes the bytes of each all-to-all.
type countedGroup struct {
	collective.Group
	sent []int
}

func (c *countedGroup) AllToAll(send, recv []byte) error {
	c.sent = append(c.sent, len(send))
	return c.Group.AllToAll(send, recv)
}

// TestASmallNetworksGradientsGoOutAsTheyAreCompleted: of sixteen layers of 65,539 values, on two
// ranks, pairs go out while the layers before them are computed, also where a bucket may be larger.
func TestASmallNetworksGradientsGoOutAsTheyAreCompleted(t *testing.T) {
	const layers, values, ranks = 16, 65_539, 2
	var group sync.WaitGroup
	for rank, g := range collective.NewLocal(ranks) {
		params := graph.NewParamSet(1)
		for i := range layers {
			p := &graph.Param{Name: string(rune('a' + i)), Data: make([]float32, values), Grad: make([]float32, values)}
			for k := range p.Grad {
				p.Grad[k] = float32(1000*i + k%64 + rank)
			}
			params.Add(p)
		}
		counted := &countedGroup{Group: g}
		group.Go(func() {
			b := newBuckets(Ranks{Group: counted, Wire: collective.Float32, Bucket: 8 << 18}, Optimizer{}, params)
			b.begin()
			for i := range layers {
				before := b.sent
				b.fill(i)
				if i%2 == 1 && i < layers-1 && b.sent == before {
					t.Errorf("rank %d: nothing goes out with layer %d, after %d values", rank, i, b.sent)
				}
			}
			if err := b.finish(); err != nil {
				t.Error(err)
			}
			const bucket = layers * values / 8 * 4
			if want := slices.Repeat([]int{bucket}, 8); !slices.Equal(counted.sent, want) {
				t.Errorf("rank %d: %v bytes were sent, want %v", rank, counted.sent, want)
			}
			for i, p := range params.All() {
				for k, x := range p.Grad {
					if want := float32(2*(1000*i+k%64) + 1); x != want {
						t.Errorf("layer %d, value %d: %v, want %v", i, k, x, want)
						return
					}
				}
			}
		})
	}
	group.Wait()
}
