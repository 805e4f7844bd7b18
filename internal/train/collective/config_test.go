package collective

import (
	"math"
	"testing"
)

// TestABucketFitsACallOfMPI: two ranks exchange a half of it each.
func TestABucketFitsACallOfMPI(t *testing.T) {
	c := DefaultConfig()
	largest := 0
	for n := 1; n <= 1<<20; n *= 2 {
		if c.Bucket = n; len(c.Validate()) == 0 {
			largest = n
		}
	}
	if half := int64(largest) << 20 / 2; half > math.MaxInt32 || 2*half <= math.MaxInt32 {
		t.Errorf("the largest bucket is %d MiB: %d bytes for each of two ranks", largest, half)
	}
}
