package pixel

import "math"

// Hue turns the hue by a part of the circle, -0.5 to 0.5, through Pillow's HSV of bytes, as
// torchvision's adjust_hue does. Images of one channel have none.
func (*Editor) Hue(m Image, turn float64) {
	if m.C != 3 {
		return
	}
	r, g, b, add := m.plane(0), m.plane(1), m.plane(2), byte(int32(turn*255))
	for i := range r {
		h, s, v := hsv(r[i], g[i], b[i])
		r[i], g[i], b[i] = rgb(h+add, s, v)
	}
}

// hsv is rgb2hsv of Pillow's Convert.c, with its mixture of float and double.
func hsv(r, g, b byte) (h, s, v byte) {
	most, least := max(r, g, b), min(r, g, b)
	if most == least {
		return 0, 0, most
	}
	chroma := float32(most - least)
	part := func(c byte) float32 { return float32(most-c) / chroma }
	var hue float32
	switch most {
	case r:
		hue = part(b) - part(g)
	case g:
		hue = float32(2 + float64(part(r)) - float64(part(b)))
	default:
		hue = float32(4 + float64(part(g)) - float64(part(r)))
	}
	hue = float32(math.Mod(float64(hue)/6+1, 1))
	return clip(int(float64(hue) * 255)), clip(int(float64(chroma/float32(most)) * 255)), most
}

// rgb is hsv2rgb of Pillow's Convert.c.
func rgb(h, s, v byte) (r, g, b byte) {
	if s == 0 {
		return v, v, v
	}
	sixth := float64(h) * 6 / 255
	i := int(math.Floor(sixth))
	f, fs := float32(sixth-float64(float32(i))), float32(float64(s)/255)
	share := func(x float64) byte { return clip(int(math.Round(float64(v) * x))) }
	p := share(1 - float64(fs))
	q := share(1 - float64(float32(fs*f)))
	t := share(1 - float64(float64(fs)*(1-float64(f))))
	switch i % 6 {
	case 0:
		return v, t, p
	case 1:
		return q, v, p
	case 2:
		return p, v, t
	case 3:
		return p, q, v
	case 4:
		return t, p, v
	}
	return v, p, q
}
