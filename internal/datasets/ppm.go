package datasets

import (
	"bytes"
	"fmt"
)

// ppmMagic begins a binary PPM, the form in which a pack keeps pixels as they are.
var ppmMagic = []byte("P6\n")

// writePPM is the picture as a binary PPM: "P6\nWIDTH HEIGHT\n255\n" and the pixels.
func writePPM(p Picture) []byte {
	return append(fmt.Appendf(nil, "P6\n%d %d\n255\n", p.Width, p.Height), p.Pix...)
}

// readPPM reads what writePPM wrote; ok says that data begins like one. The pixels are not copied.
func readPPM(data []byte) (p Picture, ok bool, err error) {
	if !bytes.HasPrefix(data, ppmMagic) {
		return Picture{}, false, nil
	}
	head := data[:min(len(data), 40)]
	if _, err := fmt.Sscanf(string(head), "P6\n%d %d\n255\n", &p.Width, &p.Height); err != nil {
		return Picture{}, true, faultf(ErrData, "a PPM with another header than \"P6\\nWIDTH HEIGHT\\n255\\n\"")
	}
	const most = maxImagePixels
	if p.Width < 1 || p.Height < 1 || p.Width > most || p.Height > most/p.Width || max(p.Width, p.Height) > maxAspect*min(p.Width, p.Height) {
		return Picture{}, true, faultf(ErrData, "a PPM of %d×%d pixels", p.Width, p.Height)
	}
	start := len(fmt.Appendf(nil, "P6\n%d %d\n255\n", p.Width, p.Height))
	if len(data) != start+3*p.Width*p.Height {
		return Picture{}, true, faultf(ErrData, "a PPM of %d×%d pixels in %d bytes", p.Width, p.Height, len(data))
	}
	p.Pix = data[start:]
	return p, true, nil
}
