// Package jpeg decodes JPEG files to the pixels that Pillow, and with it torchvision, gives: every
// byte is that of libjpeg-turbo with its default options. A network was trained on those pixels,
// and a level more or less in some of them moves its probabilities.
//
//	Decoder ── Decode(file) ──> Image ── RGB(row, columns) ──> bytes
//
// Baseline, extended sequential and progressive files of 8 bits are decoded, with 1, 3 or 4
// components of any sampling factors that divide the largest ones, restart markers, and
// quantisation tables of 8 or 16 bits. Arithmetic coding, lossless and hierarchical files and other
// precisions are refused by name, as is a height that comes after the picture. EXIF is not looked
// at.
//
// # What decides about the last bit
//
// ITU T.81 says what coefficients a file holds, and leaves the rest to the decoder. libjpeg-turbo's
// choices, which are followed here from their descriptions:
//
//   - the transform of Loeffler, Ligtenberg and Moschytz with constants of 13 bits, columns first,
//     and 2 fractional bits between the two passes (idct.go);
//   - "fancy" upsampling of halved chroma with weights ¾ and ¼, in whose rounding halves go up and
//     down in turns; other ratios, and rows of one or two samples, are repeated (upsample.go).
//     Upsampling merged with the colours, another way of libjpeg-turbo's, is used only without it;
//   - BT.601 with factors of 16 bits (color.go);
//   - JFIF's and Adobe's markers and the names of the components tell the space (header.go). CMYK
//     and YCCK are taken as inverted, whether or not Adobe says so, and become RGB without a
//     profile: as in Pillow.
//
// Sums that do not fit into 16 bits, which no picture has, come out as on x86-64 with vector code.
// What differs from libjpeg: it smooths progressive files whose last scans are missing, and fills
// up files that end early or have impossible codes, with a warning. Here the former are decoded as
// they are, and the latter are errors. It knows the usual Huffman tables where a file has none;
// here that is an error.
//
// No maintained library in pure Go does this. The standard library's image/jpeg transforms with
// other roundings, does not interpolate, and refuses some sampling factors; the ones that wrap
// libjpeg need cgo.
//
// # Hostile files
//
// Memory follows from the header and is known before it is taken: Header.Memory. Sequential files
// are decoded into samples, unit by unit, a byte a sample. Progressive ones need their
// coefficients, two bytes a sample, an eighth more for the mask of those that are not zero; samples
// then take the place of the coefficients.
//
// Time follows from the file's size. What is not in the file is not invented, so that a block costs
// at least a bit; only progressive scans can say in a few bits that nothing follows for many
// blocks. Runs over a scan's first bits are skipped at once, refinement goes over masks, and all
// scans together may go over the picture a hundred times, or as often as their bytes pay for.
//
// # Errors
//
// An error says what is wrong and at which byte, and for a fault among entropy-coded bits where the
// scan begins. Nothing panics.
package jpeg
