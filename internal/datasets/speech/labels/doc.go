// Package labels reads labels with times: HTK's master label files and NIST's CTM, as classes of
// frames.
//
//	Read ──> Set ── Lookup ──> []Span ── Frames ──> class of each frame
//
// Frame t is the time from t·S to (t+1)·S, S being the shift between frames, as in HTK: a span has
// the frames whose middle is in it.
package labels
