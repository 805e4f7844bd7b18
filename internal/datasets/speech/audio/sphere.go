package audio

import (
	"bufio"
	"io"
	"strconv"
	"strings"

	"resnet/internal/datasets/fault"
)

const (
	sphereMagic = "NIST_1A\n"
	// The second line is the size of the header, in practice 1024.
	sphereMost = 1 << 16
)

// streamSphere reads NIST SPHERE, as the LDC distributes speech: a header of text, lines NAME TYPE
// VALUE up to end_head, and samples with the channels in turn: PCM in either byte order, µ-law or
// A-law. Compression by shorten is refused.
func streamSphere(r *bufio.Reader, name string) (*Stream, error) {
	first := make([]byte, 16)
	if _, err := io.ReadFull(r, first); err != nil {
		return nil, cut(name, 0, err, "a SPHERE header has more")
	}
	size, err := strconv.Atoi(strings.TrimSpace(string(first[len(sphereMagic):])))
	if err != nil || size < len(first) || size > sphereMost {
		return nil, fault.Dataf("%s: a SPHERE header of %q bytes: %d at most are read", name, first[len(sphereMagic):], sphereMost)
	}
	rest := make([]byte, size-len(first))
	if n, err := io.ReadFull(r, rest); err != nil {
		return nil, cut(name, int64(len(first)+n), err, "the SPHERE header claims "+strconv.Itoa(size)+" bytes")
	}
	fields, err := sphereFields(string(rest), name)
	if err != nil {
		return nil, err
	}
	l, samples, err := sphereLayout(fields, name)
	if err != nil {
		return nil, err
	}
	bytes := int64(-1)
	if samples > 0 {
		bytes = samples * int64(l.frame())
	}
	return l.stream(r, bytes, name, int64(size))
}

// sphereFields are the header's values by name.
func sphereFields(text, name string) (map[string]string, error) {
	fields := map[string]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "end_head" {
			return fields, nil
		}
		words := strings.SplitN(line, " ", 3)
		if len(words) == 3 && strings.HasPrefix(words[1], "-") {
			fields[words[0]] = strings.TrimSpace(words[2])
		}
	}
	return nil, fault.Dataf("%s: the SPHERE header has no line end_head", name)
}

// sphereLayout is what the header says of the samples, and how many there are of each channel, 0
// where it does not say.
func sphereLayout(fields map[string]string, name string) (l layout, samples int64, err error) {
	number := func(key string, fallback int) int {
		text, ok := fields[key]
		if !ok || err != nil {
			return fallback
		}
		n, e := strconv.Atoi(text)
		if e != nil || n < 0 {
			err = fault.Dataf("%s: the SPHERE header has %s %q", name, key, text)
		}
		return n
	}
	l.channels, l.rate = number("channel_count", 1), number("sample_rate", 0)
	width := number("sample_n_bytes", 0)
	samples = int64(number("sample_count", 0))
	if err != nil {
		return l, 0, err
	}
	coding, packing, _ := strings.Cut(fields["sample_coding"], ",")
	if strings.Contains(packing, "embedded") { // shorten-v2.00, wavpack, shortpack
		return l, 0, fault.Dataf("%s: SPHERE compressed by %s: unpack it: sph2pipe -p -f wav IN.sph OUT.wav", name, strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(packing), "embedded-")))
	}
	switch strings.ToLower(strings.TrimSpace(coding)) {
	case "", "pcm":
		if width == 0 {
			width = 2
		}
		if width > 4 || width < 1 {
			return l, 0, fault.Dataf("%s: a SPHERE file with PCM of %d bytes: 1 to 4 are read: sox IN.sph -b 16 OUT.wav", name, width)
		}
		order := fields["sample_byte_format"]
		if width > 1 && order != "01" && order != "10" && order != "0123" && order != "3210" && order != "012" && order != "210" {
			return l, 0, fault.Dataf("%s: the SPHERE header has sample_byte_format %q: 01 (little-endian) and 10 are read", name, order)
		}
		l.coding, l.bits, l.big = signed, 8*width, width > 1 && order[0] != '0'
	case "ulaw", "mu-law", "mulaw":
		l.coding, l.bits = muLaw, 8
	case "alaw", "a-law":
		l.coding, l.bits = aLaw, 8
	default:
		return l, 0, fault.Dataf("%s: a SPHERE file with the coding %q: pcm, ulaw and alaw are read: convert it: sox IN.sph OUT.wav", name, coding)
	}
	if l.coding != signed && width > 1 {
		return l, 0, fault.Dataf("%s: a SPHERE file with %s of %d bytes: it has 1", name, coding, width)
	}
	if err := l.check(name); err != nil {
		return l, 0, err
	}
	if samples > maxBytes/(4*maxChannels) {
		return l, 0, fault.Dataf("%s: the SPHERE header claims %d samples", name, samples)
	}
	return l, samples, nil
}
