package collective

import "testing"

// TestBucketsOfSmallNetworksAreEighths: whatever the limit, all but an eighth of the gradients can
// be summed beside the backward pass, unless buckets became so short that their messages cost more.
func TestBucketsOfSmallNetworksAreEighths(t *testing.T) {
	const usual = 8 << 18
	for _, c := range []struct{ n, ranks, limit, want int }{
		{25_557_032, 2, usual, usual},     // ResNet-50: 102 MB
		{25_557_032, 2, 1 << 29, 3194629}, // rounded up: never a ninth bucket
		{1_727_962, 2, usual, 215_996},    // ResNet-110
		{1_727_962, 64, usual, 1 << 20},   // of which each rank adds 64 KiB
		{269_722, 2, usual, 1 << 16},      // ResNet-20: five buckets
		{269_722, 2, 1000, 1000},          // as the limit says
		{8 << 16, 2, usual, 1 << 16},
		{10, 2, usual, 1 << 16}, // one bucket
	} {
		if got := Bucket(c.n, c.ranks, c.limit); got != c.want {
			t.Errorf("%d values of %d ranks, at most %d: buckets of %d, want %d", c.n, c.ranks, c.limit, got, c.want)
		}
	}
}
