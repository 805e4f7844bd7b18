package datasets

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// foreignFile is a kind of file that is not read, by its first bytes.
type foreignFile struct {
	name  string
	magic string
	at    int // byte offset of magic
	image bool
}

// foreignFiles are what folders of images hold besides images that are read. Those of the same
// magic stand with the longer one first.
var foreignFiles = []foreignFile{
	{"an AVIF image", "ftypavif", 4, true},
	{"an AVIF image", "ftypavis", 4, true},
	{"a HEIC image", "ftyphei", 4, true},
	{"a HEIC image", "ftyphev", 4, true},
	{"a HEIF image", "ftypmif1", 4, true},
	{"a HEIF image", "ftypmsf1", 4, true},
	{"a Canon raw image (CR3)", "ftypcrx", 4, true},
	{"a video (MP4 or QuickTime)", "ftyp", 4, false},
	{"a video (AVI)", "AVI ", 8, false},
	{"sound (WAV)", "WAVE", 8, false},
	{"a video (Matroska or WebM)", "\x1aE\xdf\xa3", 0, false},
	{"a Photoshop image", "8BPS", 0, true},
	{"a JPEG XL image", "\xff\x0a", 0, true},
	{"a JPEG XL image", "JXL ", 4, true},
	{"a JPEG 2000 image", "jP  ", 4, true},
	{"a JPEG 2000 image", "\xff\x4f\xff\x51", 0, true},
	{"a BigTIFF image", "II+\x00", 0, true},
	{"a BigTIFF image", "MM\x00+", 0, true},
	{"an Olympus raw image", "IIRO", 0, true},
	{"a Panasonic raw image", "IIU\x00", 0, true},
	{"a Fujifilm raw image", "FUJIFILM", 0, true},
	{"an icon", "\x00\x00\x01\x00", 0, true},
	{"a cursor", "\x00\x00\x02\x00", 0, true},
	{"an OpenEXR image", "v/1\x01", 0, true},
	{"a Radiance image", "#?RADIANCE", 0, true},
	{"a DirectDraw surface", "DDS ", 0, true},
	{"a FITS image", "SIMPLE  =", 0, true},
	{"a DICOM image", "DICM", 128, true},
	{"a PDF", "%PDF", 0, false},
	{"PostScript", "%!PS", 0, false},
	{"a pointer of Git LFS, and not the file itself: run `git lfs pull`", "version https://git-lfs", 0, false},
	{"a NumPy array", "\x93NUMPY", 0, false},
	{"HDF5 (also MATLAB's .mat)", "\x89HDF", 0, false},
	{"a zip archive", "PK\x03\x04", 0, false},
	{"a gzip file", "\x1f\x8b", 0, false},
	{"an archive of 7-Zip", "7z\xbc\xaf\x27\x1c", 0, false},
	{"an archive of RAR", "Rar!", 0, false},
	{"a tar archive", "ustar", 257, false},
	{"Parquet", "PAR1", 0, false},
	{"macOS's metadata of another file", "\x00\x05\x16\x07", 0, false},
}

// kindOf names a file by its first bytes, "" where it is not known; img says that it is an image.
func kindOf(head []byte) (name string, img bool) {
	if len(head) == 0 {
		return "an empty file", false
	}
	for _, f := range foreignFiles {
		if len(head) >= f.at+len(f.magic) && string(head[f.at:f.at+len(f.magic)]) == f.magic {
			return f.name, f.image
		}
	}
	if len(bytes.Trim(head, "\x00")) == 0 {
		return "zero bytes alone: is the download complete?", false
	}
	text := strings.ToLower(string(bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\ufeff")), " \t\r\n")))
	switch {
	case strings.HasPrefix(text, "<svg") || strings.HasPrefix(text, "<?xml") && strings.Contains(text, "<svg"):
		return "an SVG drawing", true
	case strings.HasPrefix(text, "<!doctype html") || strings.HasPrefix(text, "<html") || strings.HasPrefix(text, "<head") || strings.HasPrefix(text, "<?xml") && strings.Contains(text, "<html"):
		return "a web page (HTML), and no image: was the download refused?", false
	case strings.HasPrefix(text, "<?xml"):
		return "XML", false
	case strings.HasPrefix(text, "{") || strings.HasPrefix(text, "["):
		return "a text (JSON)", false
	case isText(head):
		return "a text", false
	case bytes.Contains(head, []byte("\xff\xd8\xff")):
		return "no image at its start, though a JPEG begins further on", false
	}
	return "", false
}

// isText reports whether the beginning of a file has letters alone; its last rune may be cut.
func isText(head []byte) bool {
	for len(head) > 0 {
		r, n := utf8.DecodeRune(head)
		if r == utf8.RuneError && n == 1 && len(head) >= utf8.UTFMax || r < ' ' && r != '\t' && r != '\n' && r != '\r' {
			return false
		}
		head = head[n:]
	}
	return true
}

// foreign is the error about a file that begins so and is not read.
func foreign(head []byte) error {
	name, img := kindOf(head)
	switch {
	case img:
		return faultf(ErrData, "it is %s, and %s are read: convert it, for example by `magick FILE FILE.png`", name, formatNames())
	case name != "":
		return faultf(ErrData, "it is %s", name)
	}
	return faultf(ErrData, "not an image that is read (%s): it begins with %s", formatNames(), fmt.Sprintf("% x", head[:min(8, len(head))]))
}
