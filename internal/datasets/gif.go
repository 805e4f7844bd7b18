package datasets

import (
	"bytes"
	"image"
	"image/gif"
)

// decodeGIF makes the first frame of a GIF. Where the frame does not fill the screen, the rest has
// the transparent colour, or else the first of the table, as Pillow has it.
func decodeGIF(sc *scratch, data []byte) (rows, error) {
	transparent := 0
	if at := gifControl(data); at >= 0 && data[at]&1 != 0 {
		// The decoder would lose the colour below the transparent pixels: the flag is cleared.
		transparent = int(data[at+3])
		sc.planes = append(sc.planes[:0], data...)
		data = sc.planes
		data[at] &^= 1
	}
	config, err := gif.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	decoded, err := gif.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	m := decoded.(*image.Paletted)
	if screen := image.Rect(0, 0, config.Width, config.Height); m.Rect != screen {
		whole := image.NewPaletted(screen, m.Palette)
		for i := range whole.Pix {
			whole.Pix[i] = byte(transparent)
		}
		for y := m.Rect.Min.Y; y < m.Rect.Max.Y; y++ {
			copy(whole.Pix[whole.PixOffset(m.Rect.Min.X, y):], m.Pix[m.PixOffset(m.Rect.Min.X, y):][:m.Rect.Dx()])
		}
		m = whole
	}
	return newPaletted(m), nil
}

// gifControl is the byte offset of the flags of the graphic control extension before the first
// image, or -1. The delay and the transparent colour follow it.
func gifControl(data []byte) int {
	const screen, extension, control, descriptor = 13, 0x21, 0xf9, 0x2c
	if len(data) < screen {
		return -1
	}
	at, found := screen, -1
	if flags := data[10]; flags&0x80 != 0 {
		at += 3 << (flags&7 + 1)
	}
	for at+2 < len(data) && data[at] == extension {
		if data[at+1] == control && data[at+2] == 4 && at+7 < len(data) {
			found = at + 3
		}
		at += 2
		for at < len(data) && data[at] != 0 {
			at += 1 + int(data[at])
		}
		at++
	}
	if at >= len(data) || data[at] != descriptor {
		return -1
	}
	return found
}
