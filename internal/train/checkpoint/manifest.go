package checkpoint

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"

	"resnet/internal/atomicfile"
	"resnet/internal/input"
)

const (
	// Format is the version of the files that this program writes, and the latest that it reads.
	Format = 1

	// MetricValidationError is the metric that chooses the best checkpoint, in percent of the
	// validation split. Errors on the test set belong under other names: they never choose.
	MetricValidationError = "validation_error"

	maxManifest = 1 << 20 // bytes; ours have some hundred
)

// Manifest says what a checkpoint is. It is written after its files and makes them a checkpoint.
type Manifest struct {
	Format       int                `json:"format"`
	Producer     string             `json:"producer"` // "resnet v0.1.0"
	Step         int64              `json:"step"`     // updates made
	Epoch        int64              `json:"epoch"`    // the epoch under way, from 0
	Final        bool               `json:"final"`    // training ended here
	ConfigDigest string             `json:"config_digest"`
	Metrics      map[string]float64 `json:"metrics"`
	Model        Part               `json:"model"`
	State        Part               `json:"state"`
}

// Part is one data file of a checkpoint.
type Part struct {
	File   string `json:"file"` // in the folder of the manifest
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // of the whole file, in hex
}

var (
	manifestName = regexp.MustCompile(`^step-(\d{6,18})\.json$`)
	dataName     = regexp.MustCompile(`^(step-\d{6,18})(-\d{1,9})?(\.state)?\.safetensors$`)
)

func baseName(step int64) string { return fmt.Sprintf("step-%06d", step) }

// stepOf is the step in a manifest's file name.
func stepOf(name string) (int64, bool) {
	match := manifestName.FindStringSubmatch(name)
	if match == nil {
		return 0, false
	}
	step, err := strconv.ParseInt(match[1], 10, 64)
	return step, err == nil
}

// The manifest ends with a checksum of the bytes before it. Every later format keeps this end, so
// that a newer manifest can be told from a damaged one.
const (
	sumBefore = ",\n  \"sha256\": \""
	sumAfter  = "\"\n}\n"
	sumLength = len(sumBefore) + 2*sha256.Size + len(sumAfter)
)

// encode returns the manifest's bytes. It fails when a metric is not finite, which JSON cannot
// hold.
func (m Manifest) encode() ([]byte, error) {
	body, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, err
	}
	return seal(bytes.TrimSuffix(body, []byte("\n}"))), nil
}

// seal appends the end to a manifest's body.
func seal(body []byte) []byte {
	sum := sha256.Sum256(body)
	return append(body, sumBefore+hex.EncodeToString(sum[:])+sumAfter...)
}

// decodeManifest checks and decodes a manifest. It fails with ErrCorrupt or ErrVersion; path stands
// in errors.
func decodeManifest(path string, data []byte) (Manifest, error) {
	var m Manifest
	if len(data) < sumLength {
		return m, corruptf("%s: %d bytes are not a manifest: truncated?", path, len(data))
	}
	if !bytes.Equal(data, seal(bytes.Clone(data[:len(data)-sumLength]))) {
		return m, corruptf("%s: the checksum at its end does not match: damaged or edited", path)
	}
	var version struct {
		Format   int    `json:"format"`
		Producer string `json:"producer"`
	}
	if err := json.Unmarshal(data, &version); err != nil {
		return m, corruptf("%s: %w", path, err)
	}
	if version.Format > Format {
		return m, &classed{ErrVersion, fmt.Errorf("%s: format %d, made by %s; this resnet reads formats up to %d: use a newer resnet",
			path, version.Format, quoteUnlessPlain(version.Producer), Format)}
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&struct {
		*Manifest
		SHA256 string `json:"sha256"`
	}{Manifest: &m}); err != nil {
		return m, corruptf("%s: %w", path, err)
	}
	return m, m.check(path)
}

// quoteUnlessPlain keeps control characters of a file out of messages.
func quoteUnlessPlain(s string) string {
	if q := strconv.Quote(s); q != `"`+s+`"` {
		return q
	}
	return s
}

func (m Manifest) check(path string) error {
	if m.Format != Format {
		return corruptf("%s: format %d", path, m.Format)
	}
	if m.Step < 0 || m.Epoch < 0 {
		return corruptf("%s: step %d of epoch %d", path, m.Step, m.Epoch)
	}
	for _, p := range []Part{m.Model, m.State} {
		if !dataName.MatchString(p.File) { // also keeps readers in the folder
			return corruptf("%s: %q is not the name of a checkpoint's file", path, p.File)
		}
		if p.Bytes < 0 {
			return corruptf("%s: %s: %d bytes", path, p.File, p.Bytes)
		}
	}
	return nil
}

// readManifest reads and checks a manifest. It fails with ErrCorrupt, ErrVersion or ErrIO.
func readManifest(fsys atomicfile.FS, path string) (Manifest, error) {
	f, err := fsys.Open(path)
	if errors.Is(err, input.ErrNotRegular) {
		return Manifest{}, corruptf("%w", err)
	}
	if err != nil {
		return Manifest{}, atomicfile.Error(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxManifest+1))
	if err != nil {
		return Manifest{}, atomicfile.Error(fmt.Errorf("%s: %w", path, err))
	}
	if len(data) > maxManifest {
		return Manifest{}, corruptf("%s: more than %d bytes are not a manifest", path, maxManifest)
	}
	return decodeManifest(path, data)
}
