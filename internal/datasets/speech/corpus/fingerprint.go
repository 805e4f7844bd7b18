package corpus

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"io"
	"maps"
	"math"
	"os"
	"slices"

	"resnet/internal/datasets"
	"resnet/internal/datasets/fault"
	"resnet/internal/datasets/speech/kaldi"
	"resnet/internal/input"
)

// Fingerprint tells the utterances of every split from others: their names, speakers, lengths,
// classes or alignments, and statistics of speakers that are given. Recordings are known by their
// samples, which are read anyway; stored features by the sizes of their files and their places in
// them, and by the files' contents where those of a split are at most datasets.MaxContents. It is
// taken once, when it is asked for first.
func (o *Corpus) Fingerprint(ctx context.Context) (datasets.Fingerprint, error) {
	return o.print.Of(ctx, o.fingerprint)
}

func (o *Corpus) fingerprint(ctx context.Context) (datasets.Fingerprint, error) {
	f := datasets.Fingerprint{}
	for s, p := range o.parts {
		names := datasets.NewDigest()
		for _, u := range p.utts {
			for _, text := range []string{u.id, u.speaker, u.class} {
				names.Text(text)
			}
			names.Number(int64(u.frames))
			names.Number(int64(u.label))
			ali := make([]byte, 0, 4*len(o.ali[u.id]))
			for _, k := range o.ali[u.id] {
				ali = binary.LittleEndian.AppendUint32(ali, uint32(k))
			}
			names.Bytes(ali)
		}
		if p.from.given {
			p.from.addStatistics(names)
		}
		sizes, contents, err := p.from.read.fingerprint(ctx, p.utts)
		if err != nil {
			return nil, err
		}
		f[s] = datasets.SplitPrint{N: len(p.utts), Names: names.Sum(), Sizes: sizes, Contents: contents}
	}
	return f, nil
}

func (l *listing) addStatistics(to datasets.Digest) {
	for _, speaker := range slices.Sorted(maps.Keys(l.speakers)) {
		s := l.speakers[speaker]
		to.Text(speaker)
		for _, x := range slices.Concat([]float64{s.Count}, s.Sum, s.Squares) {
			to.Number(int64(math.Float64bits(x)))
		}
	}
}

func (m memory) fingerprint(_ context.Context, utts []utterance) (sizes, contents string, err error) {
	length, sums := datasets.NewDigest(), datasets.NewDigest()
	for _, u := range utts {
		length.Number(int64(m[u.ref].samples))
		sums.Text(m[u.ref].sum)
	}
	return length.Sum(), sums.Sum(), nil
}

// sampleDigest sums up the samples of a recording as they come.
type sampleDigest struct {
	datasets.Digest
	data []byte
}

func newSampleDigest(rate int) *sampleDigest {
	d := &sampleDigest{Digest: datasets.NewDigest()}
	d.Number(int64(rate))
	return d
}

func (d *sampleDigest) add(samples []float32) {
	for part := range slices.Chunk(samples, 1<<12) {
		d.data = d.data[:0]
		for _, x := range part {
			d.data = binary.LittleEndian.AppendUint32(d.data, math.Float32bits(x))
		}
		d.Bytes(d.data)
	}
}

// fingerprint looks at each file of the script once, however many utterances are in it.
func (r scpReader) fingerprint(ctx context.Context, utts []utterance) (sizes, contents string, err error) {
	places, files, total := datasets.NewDigest(), []string{}, int64(0)
	known := map[string]int64{} // size by path as written
	for _, u := range utts {
		e := r.scp.Entries[u.ref]
		size, ok := known[e.Path]
		if !ok {
			path, err := r.scp.Locate(e)
			if err != nil {
				return "", "", err
			}
			st, err := os.Stat(path)
			if err != nil {
				return "", "", fault.Opening(path, pathCause(err), "has it been moved?")
			}
			if !st.Mode().IsRegular() {
				return "", "", fault.Dataf("%s: not a regular file", path)
			}
			size = st.Size()
			known[e.Path], files, total = size, append(files, path), total+size
		}
		places.Number(size)
		places.Number(e.Offset)
		for _, cut := range []kaldi.Range{e.Rows, e.Cols} {
			if places.Number(-1); cut.Set {
				places.Number(int64(cut.First))
				places.Number(int64(cut.Last))
			}
		}
	}
	if total > datasets.MaxContents {
		return places.Sum(), "", nil
	}
	all := datasets.NewDigest()
	for _, path := range files {
		if err := ctx.Err(); err != nil {
			return "", "", err
		}
		sum, err := sumFile(path)
		if err != nil {
			return "", "", err
		}
		all.Text(sum)
	}
	return places.Sum(), all.Sum(), nil
}

// sumFile is the digest of a file of at most datasets.MaxContents.
func sumFile(path string) (string, error) {
	file, err := input.Open(path)
	if err != nil {
		return "", fault.Opening(path, pathCause(err), "has it been moved?")
	}
	defer file.Close()
	h := sha256.New()
	if _, err := io.Copy(h, io.LimitReader(file, datasets.MaxContents)); err != nil {
		return "", err // names the file
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
