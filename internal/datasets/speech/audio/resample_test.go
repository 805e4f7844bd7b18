package audio_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"resnet/internal/datasets/fault"
	"resnet/internal/datasets/fault/faulttest"
	"resnet/internal/datasets/speech/audio"
	"resnet/internal/datasets/speech/kaldi"
)

// floats is a WAV of one channel of float32.
func floats(rate int, samples []float32) []byte {
	var b []byte
	for _, v := range samples {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v/32768))
	}
	return wav(format(3, 1, rate, 32), chunk("data", b))
}

// resample gives a part of samples at another rate.
func resample(t *testing.T, samples []float32, from, to int, start, end float64) []float32 {
	t.Helper()
	s, err := audio.NewStream(bytes.NewReader(floats(from, samples)), "x")
	if err == nil {
		err = s.Resample(to)
	}
	if err != nil {
		t.Fatal(err)
	}
	var out []float32
	n, err := s.Each(-1, start, end, func(part []float32) error { out = append(out, part...); return nil })
	if err != nil || int(n) != len(out) || s.Rate != to {
		t.Fatalf("%d to %d: %d samples of %d at %d, %v", from, to, n, len(out), s.Rate, err)
	}
	return out
}

// snr is the energy of want over that of the difference, in dB.
func snr(got, want []float32) float64 {
	var signal, noise float64
	for i, v := range want {
		d := float64(got[i]) - float64(v)
		signal, noise = signal+float64(v)*float64(v), noise+d*d
	}
	return 10 * math.Log10(signal/noise)
}

// TestResamplingIsAsGoodAsThatOfSoxAndSoxr has noise in the band that all of them pass, for which a
// sum of sincs is exact: ours is no farther from it than theirs, and as near to theirs as that is.
func TestResamplingIsAsGoodAsThatOfSoxAndSoxr(t *testing.T) {
	values := map[string][]float32{}
	if err := kaldi.Each(fixtures+"../resample.ark", func(key string, v kaldi.Value) error {
		values[key] = v.Floats
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	n := 0
	for key, exact := range values {
		var from, to int
		pair, ok := strings.CutSuffix(key, "-exact")
		if !ok {
			continue
		}
		if k, err := fmt.Sscanf(pair, "%d-%d", &from, &to); k != 2 {
			t.Fatal(err)
		}
		n++
		got := resample(t, values[pair], from, to, 0, 0)
		if len(got) != len(exact) {
			t.Errorf("%s: %d samples, want %d", pair, len(got), len(exact))
			continue
		}
		ours := snr(got, exact)
		t.Logf("%s: ours %.1f dB, soxr %.1f, sox %.1f", pair, ours, snr(values[pair+"-soxr"], exact), snr(values[pair+"-sox"], exact))
		for _, program := range []string{"-soxr", "-sox"} {
			theirs := values[pair+program]
			// The ends of a band-limited noise are no silence: there they all differ by -117 dB.
			if limit := snr(theirs, exact); ours < limit-2 || ours < 115 || snr(got, theirs) < limit-2 {
				t.Errorf("%s: ours is %.1f dB from what is exact, %s %.1f, and they are %.1f from each other", pair, ours, program, limit, snr(got, theirs))
			}
		}
	}
	if n != 4 {
		t.Errorf("%d comparisons", n)
	}
}

// sine is n samples of amplitude 10000.
func sine(n int, hz, rate float64) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(10000 * math.Sin(2*math.Pi*hz*float64(i)/rate))
	}
	return x
}

// TestWhatPassesAndWhatDoesNot: below 95 % of half the lower rate a sine comes out as it is, and
// above that half as nothing.
func TestWhatPassesAndWhatDoesNot(t *testing.T) {
	for _, c := range [][2]int{{8000, 16000}, {16000, 8000}, {44100, 16000}, {48000, 16000}, {22050, 16000}, {11025, 16000}} {
		from, to := float64(c[0]), float64(c[1])
		half := min(from, to) / 2
		n := c[0] / 2
		middle := func(x []float32) []float32 { return x[len(x)/4 : len(x)*3/4] }
		for _, share := range []float64{0.01, 0.3, 0.7, 0.9, 0.95} {
			got := resample(t, sine(n, share*half, from), c[0], c[1], 0, 0)
			d := snr(middle(got), middle(sine(len(got), share*half, to)))
			t.Logf("%v: %g: %.1f dB", c, share, d)
			if d < 115 {
				t.Errorf("%v: a sine at %g of the band: %.1f dB", c, share, d)
			}
		}
		if from < to {
			continue
		}
		for _, hz := range []float64{half * 1.0005, half * 1.2, min(half*1.9, from/2.01)} {
			got := middle(resample(t, sine(n, hz, from), c[0], c[1], 0, 0))
			var sum float64
			for _, v := range got {
				sum += float64(v) * float64(v)
			}
			d := 10 * math.Log10(sum/float64(len(got))/(1e8/2))
			t.Logf("%v: %g Hz: %.1f dB", c, hz, d)
			if d > -115 {
				t.Errorf("%v: a sine of %g Hz leaves %.1f dB", c, hz, d)
			}
		}
	}
}

// TestAPartIsResampledAsTheWholeIs: a segment has the samples that the whole recording has there,
// and pieces of the file do not show. The recording is longer than a piece.
func TestAPartIsResampledAsTheWholeIs(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	x := make([]float32, 70000)
	for i := range x {
		x[i] = float32(r.NormFloat64() * 3000)
	}
	whole := resample(t, x, 44100, 16000, 0, 0)
	if want := (70000*160 + 440) / 441; len(whole) != want {
		t.Errorf("%d samples, want %d", len(whole), want)
	}
	for _, c := range [][2]float64{{0, 0.5}, {0.25, 1.25}, {1.5, 0}, {1, 9}} {
		to := len(whole)
		if c[1] > 0 {
			to = min(to, int(c[1]*16000))
		}
		if got := resample(t, x, 44100, 16000, c[0], c[1]); !slices.Equal(got, whole[int(c[0]*16000):to]) {
			t.Errorf("%v: %d samples are not those of the whole", c, len(got))
		}
	}
	s, err := audio.NewStream(bytes.NewReader(floats(44100, x)), "x")
	if err == nil {
		err = s.Resample(16000)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Each(-1, 5, 6, func([]float32) error { return nil }); !errors.Is(err, fault.ErrData) {
		t.Errorf("a part behind the end: %v", err)
	}
}

func TestRatesThatAreNoneAreNotResampled(t *testing.T) {
	for _, rate := range []int{1, 44101, 15999, 1 << 20, 1<<31 - 1} {
		s, err := audio.NewStream(bytes.NewReader(floats(rate, []float32{1, 2})), "x")
		if err != nil {
			t.Fatal(err)
		}
		var refused error
		if spent := faulttest.Allocated(func() { refused = s.Resample(16000) }); !errors.Is(refused, fault.ErrData) || !strings.Contains(refused.Error(), "-r 16000") || spent > 1<<20 {
			t.Errorf("%d: %v, %d bytes", rate, refused, spent)
		}
	}
}

// TestTheEndOfAPartMayLieBehindTheRecording, which is told.
func TestTheEndOfAPartMayLieBehindTheRecording(t *testing.T) {
	for end, want := range map[float64]float64{0: 0, -1: 0, 2.5: 0, 2: 0, 2.55: 0, 2.75: 0.25, 4: 1.5} {
		s, err := audio.NewStream(bytes.NewReader(ramp(25, 10)), "x")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Each(-1, 1, end, func([]float32) error { return nil }); err != nil || math.Abs(s.Beyond-want) > 1e-9 {
			t.Errorf("an end of %g s: %g s beyond (%v), want %g", end, s.Beyond, err, want)
		}
	}
}

func TestAStreamOfOneChannelIsPicked(t *testing.T) {
	data := wav(format(1, 2, 16000, 16), chunk("data", []byte{1, 0, 2, 0, 3, 0, 4, 0}))
	for c, want := range [][]float32{{1, 3}, {2, 4}} {
		s, err := audio.NewStream(bytes.NewReader(data), "x")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Pick(2); !errors.Is(err, fault.ErrData) {
			t.Errorf("a third channel: %v", err)
		}
		if err := s.Pick(c); err != nil || s.Channels != 1 {
			t.Errorf("%d channels, %v", s.Channels, err)
		}
		if part, err := s.Next(); err != nil || len(part) != 1 || !slices.Equal(part[0], want) {
			t.Errorf("channel %d: %v, %v", c, part, err)
		}
	}
}
