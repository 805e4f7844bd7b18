package datasets

import (
	"bytes"
	"errors"
	"testing"
)

func TestAPPMComesBackAsItWas(t *testing.T) {
	p := Picture{Width: 3, Height: 2, Pix: []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 255}}
	data := writePPM(p)
	q, ok, err := readPPM(data)
	if !ok || err != nil || q.Width != 3 || q.Height != 2 || !bytes.Equal(q.Pix, p.Pix) {
		t.Errorf("got %+v, %v, %v", q, ok, err)
	}
	for n := len("P6\n"); n < len(data); n++ {
		if _, ok, err := readPPM(data[:n]); !ok || !errors.Is(err, ErrData) {
			t.Errorf("cut after %d bytes: %v, %v, want ErrData", n, ok, err)
		}
	}
	for _, bad := range []string{"P6\n0 2\n255\n", "P6\n-1 2\n255\n", "P6\n65535 65535\n255\n", "P6\n99999999999999999999 1\n255\n"} {
		if _, ok, err := readPPM([]byte(bad)); !ok || !errors.Is(err, ErrData) {
			t.Errorf("%q: %v, %v, want ErrData", bad, ok, err)
		}
	}
	if _, ok, _ := readPPM([]byte("\xff\xd8\xff")); ok {
		t.Error("a JPEG is taken for a PPM")
	}
}

func TestAnImageNetClassIsTheRankOfItsID(t *testing.T) {
	for id, want := range map[string]int{"n01440764": 0, "n01443537": 1, "n15075141": 999, "n00000000": -1, "": -1} {
		if got := wnidRank(id); got != want {
			t.Errorf("wnidRank(%q) is %d, want %d", id, got, want)
		}
	}
}
