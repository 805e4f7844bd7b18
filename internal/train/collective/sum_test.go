package collective

import "testing"

// TestBucketsOfSmallNetworksAreEighths: whatever the limit, all but an eighth of the gradients can
// be summed beside the backward pass, unless buckets became so short that their messages cost more.
func TestBucketsOfSmallNetworksAreEighths(t *testing.T) {
	const usual = 8 << 18
	for _, c := range []struct{ n, limit, want int }{
		{25_557_032, usual, usual},                      // ResNet-50: 102 MB
		{25_557_032, 1 << 29, 3_194_629},                // rounded up: never a ninth bucket
		{1_727_962, usual, 215_996},                     // ResNet-110
		{269_722, usual, 1 << 16},                       // ResNet-20: five buckets
		{269_722, 1000, 1000},                           // as the limit says
		{8 << 16, usual, 1 << 16}, {10, usual, 1 << 16}, // one bucket
	} {
		if got := Bucket(c.n, c.limit); got != c.want {
			t.Errorf("%d values, at most %d: buckets of %d, want %d", c.n, c.limit, got, c.want)
		}
	}
}
