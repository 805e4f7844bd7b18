package audio_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/mewkiz/flac"
	"github.com/mewkiz/flac/frame"
	"github.com/mewkiz/flac/meta"

	"resnet/internal/datasets/fault"
	"resnet/internal/datasets/speech/audio"
)

// silence is a FLAC of so many blocks of 65,535 zeros, each of which takes some twenty bytes.
func silence(t *testing.T, blocks int) []byte {
	t.Helper()
	const size = 1<<16 - 1
	var b bytes.Buffer
	enc, err := flac.NewEncoder(&b, &meta.StreamInfo{BlockSizeMin: 16, BlockSizeMax: size, SampleRate: 16000, NChannels: 1, BitsPerSample: 16})
	if err != nil {
		t.Fatal(err)
	}
	zeros := make([]int32, size)
	for i := range blocks {
		f := &frame.Frame{
			Header:    frame.Header{HasFixedBlockSize: true, BlockSize: size, SampleRate: 16000, Channels: frame.ChannelsMono, BitsPerSample: 16, Num: uint64(i)},
			Subframes: []*frame.Subframe{{SubHeader: frame.SubHeader{Pred: frame.PredConstant}, Samples: zeros, NSamples: size}},
		}
		if err := enc.WriteFrame(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := enc.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestSilenceHasABound: a million samples of it are taken from any file, and beyond them 1024 for
// each of its bytes. Blocks of 65,535 zeros have several times as many.
func TestSilenceHasABound(t *testing.T) {
	for blocks, refused := range map[int]bool{16: false, 60: true} {
		data := silence(t, blocks)
		if per := blocks * 65535 / len(data); per < 1500 {
			t.Fatalf("%d samples a byte: the file is no bomb", per)
		}
		_, err := audio.Read(bytes.NewReader(data), "x.flac")
		if refused != (err != nil) || refused && (!errors.Is(err, fault.ErrData) || !strings.Contains(err.Error(), "no recording is that empty")) {
			t.Errorf("%d blocks in %d bytes: %v", blocks, len(data), err)
		}
	}
}

// TestChannelsHaveABound: 256 are read, and one more is refused.
func TestChannelsHaveABound(t *testing.T) {
	for channels, refused := range map[int]bool{256: false, 257: true} {
		_, err := read(wav(format(1, channels, 16000, 8), chunk("data", make([]byte, channels))))
		if refused != (err != nil) || refused && (!errors.Is(err, fault.ErrData) || !strings.Contains(err.Error(), "between 1 and 256 are possible")) {
			t.Errorf("%d channels: %v", channels, err)
		}
	}
}
