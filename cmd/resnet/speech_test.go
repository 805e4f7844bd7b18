package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"

	"resnet/internal/datasets/speech/kaldi"
)

// recordings DIR writes a folder as the Free Spoken Digit Dataset's: 3 speakers, 5 digits, 3
// recordings of each, tones of 20 to 50 frames.
func recordings(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: recordings DIR")
	}
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o755))
	for s, speaker := range []string{"ann", "bob", "cas"} {
		for digit := range 5 {
			for take := range 3 {
				name := fmt.Sprintf("%d_%s_%d.wav", digit, speaker, take)
				ts.Check(os.WriteFile(filepath.Join(dir, name), tone(1800+80*(6*s+3*digit+take), 250+350*float64(digit)+40*float64(s)), 0o644))
			}
		}
	}
}

// tone is a WAV file of so many samples at 8 kHz.
func tone(samples int, hertz float64) []byte {
	b := []byte("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00")
	b = binary.LittleEndian.AppendUint32(b, 8000)
	b = binary.LittleEndian.AppendUint32(b, 16000)
	b = append(b, 2, 0, 16, 0)
	b = append(b, "data"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(2*samples))
	for i := range samples {
		v := 7000*math.Sin(2*math.Pi*hertz*float64(i)/8000) + float64(i*7919%211)
		b = binary.LittleEndian.AppendUint16(b, uint16(int16(v)))
	}
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-8))
	return b
}

// posteriors SCRIPT UTTERANCES CLASSES requires that an archive holds matrices whose rows sum to
// one in probability.
func posteriors(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: posteriors SCRIPT UTTERANCES CLASSES")
	}
	n, _ := strconv.Atoi(args[1])
	k, _ := strconv.Atoi(args[2])
	scp, err := kaldi.ReadScp(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(scp.Entries) != n {
		ts.Fatalf("%s: %d utterances, want %d", args[0], len(scp.Entries), n)
	}
	for _, e := range scp.Entries {
		v, err := scp.Read(e)
		ts.Check(err)
		m, err := v.Matrix()
		ts.Check(err)
		if v.Cols != k || v.Rows < 20 {
			ts.Fatalf("%s: %d x %d", e.Key, v.Rows, v.Cols)
		}
		for t := range v.Rows {
			var sum float64
			for _, x := range m[t*k : (t+1)*k] {
				sum += math.Exp(float64(x))
			}
			if math.Abs(sum-1) > 1e-5 {
				ts.Fatalf("%s: frame %d sums to %v", e.Key, t, sum)
			}
		}
	}
}
