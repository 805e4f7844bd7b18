package text

import (
	"math"
	"testing"
	"time"
)

func TestSecondsBeyondADurationAreTheLongest(t *testing.T) {
	for s, want := range map[float64]time.Duration{1.5: 1500 * time.Millisecond, 9e9: 9e18, 1e10: math.MaxInt64, math.Inf(1): math.MaxInt64} {
		if got := Seconds(s); got != want {
			t.Errorf("%v s: %v, want %v", s, got, want)
		}
	}
}

func TestNumbersAreWrittenForPeople(t *testing.T) {
	for got, want := range map[string]string{
		Grouped(0): "0", Grouped(999): "999", Grouped(1000): "1,000", Grouped(-269722): "-269,722", Grouped(int64(1_234_567)): "1,234,567",
		Count(1, "thread"): "1 thread", Count(0, "frame"): "0 frames", Count(12_000, "image"): "12,000 images",
		Dims([]int{3, 32, 32}): "3x32x32", Dims(nil): "",
		Duration(3*time.Hour + 25*time.Minute + 59*time.Second): "3h25m", Duration(12*time.Minute + 30*time.Second): "12m30s",
		Duration(Seconds(4.21)): "4.2s", Duration(time.Minute): "1m00s", Duration(time.Hour): "1h00m",
		Bytes(0): "0 B", Bytes(999): "999 B", Bytes(1000): "1 KB", Bytes(999_499): "999 KB", Bytes(999_500): "1 MB", Bytes(999_999_999): "1 GB", Bytes(269_400_000): "269 MB", Bytes(24_200_000_000): "24.2 GB",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestSizesAreRead(t *testing.T) {
	for s, want := range map[string]int64{"": 0, "8GB": 8e9, "500 mb": 5e8, "1.5GiB": 3 << 29, "17": 17, "3k": 3000, "2KiB": 2048, "9B": 9, "1MiB": 1 << 20, "4G": 4e9} {
		if got, err := ParseBytes(s); err != nil || got != want {
			t.Errorf("ParseBytes(%q) = %d, %v; want %d", s, got, err, want)
		}
	}
	for _, s := range []string{"x", "-1GB", "0", "GB", "1e30GB", "NaN"} {
		if got, err := ParseBytes(s); err == nil {
			t.Errorf("ParseBytes(%q) = %d", s, got)
		}
	}
}
