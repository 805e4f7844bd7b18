package datasets

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"resnet/internal/atomicfile"
	"resnet/internal/input"
)

// meanCache keeps a measured normaliser in the user's cache folder, resnet/means/KEY.json. The key
// is a digest of everything that the measurement depends on: which images, in which state, in which
// view, measured by which version. The cache can be deleted at any time.
type meanCache struct {
	folder string
	// key is made anew before the result is kept: what changed meanwhile is not kept.
	key func() (string, error)
}

// meanVersion changes with what images are decoded to.
const meanVersion = 3

// meanFile is what is kept: the normaliser and the digest of it, so that damage is noticed.
type meanFile struct {
	Normalizer json.RawMessage `json:"normalizer"`
	SHA256     string          `json:"sha256"`
}

// maxMeanFile bounds what is read: 3×512×512 numbers of a dozen characters.
const maxMeanFile = 16 << 20

// newMeanCache finds the folder; without a cache folder nothing is kept.
func newMeanCache(d *Dataset, kind string) meanCache {
	cache, err := os.UserCacheDir()
	set, ok := d.src.(*photoSet)
	if err != nil || !ok {
		return meanCache{}
	}
	return meanCache{filepath.Join(cache, "resnet", "means"), func() (string, error) { return meanKey(d, set, kind) }}
}

// meanKey is the digest. It asks for the state of every image that is measured.
func meanKey(d *Dataset, set *photoSet, kind string) (string, error) {
	h := sha256.New()
	// Nothing for what was the only way before: what was measured stays valid.
	p, other := d.about.view, ""
	if p.turns(p) {
		other = " " + OrientExif
	}
	if p.Interpolation != Bilinear {
		other += " " + p.Interpolation
	}
	fmt.Fprintf(h, "%d %s {size:%d resize:%d downsample:%d%s} %s\n", meanVersion, kind, p.Size, p.Resize, p.Downsample, other, d.about.stamp)
	v, sample := d.views[Train], d.sample(Train)
	states, errs := make([]string, len(sample)), make([]error, len(sample))
	list := set.split(v.from)
	parallel(len(sample), func() func(int) {
		return func(k int) { states[k], errs[k] = list.state(v.at(int(sample[k]))) }
	})
	for k, i := range sample {
		if errs[k] != nil {
			return "", errs[k]
		}
		fmt.Fprintln(h, list.place(v.at(int(i))), states[k])
	}
	return hex.EncodeToString(h.Sum(nil)[:16]), nil
}

func (c meanCache) path(key string) string { return filepath.Join(c.folder, key+".json") }

// load reads the normaliser; whatever is wrong with the file, it is as if there were none. key is
// what a new one is to be saved under.
func (c meanCache) load() (n Normalizer, key string, ok bool) {
	if c.folder == "" {
		return Normalizer{}, "", false
	}
	key, err := c.key()
	if err != nil {
		return Normalizer{}, "", false
	}
	n, ok = readMean(c.path(key))
	return n, key, ok
}

func readMean(path string) (Normalizer, bool) {
	text, err := input.Read(path, maxMeanFile)
	if err != nil {
		return Normalizer{}, false
	}
	var f meanFile
	if json.Unmarshal(text, &f) != nil {
		return Normalizer{}, false
	}
	if sum := sha256.Sum256(f.Normalizer); f.SHA256 != hex.EncodeToString(sum[:]) {
		return Normalizer{}, false
	}
	n, err := DecodeNormalizer(string(f.Normalizer))
	return n, err == nil
}

// save keeps the normaliser if it can and if the images are still those that were measured: without
// it the next start measures again.
func (c meanCache) save(key string, n Normalizer) {
	if c.folder == "" || key == "" {
		return
	}
	text, err := n.Encode()
	if again, e := c.key(); err != nil || e != nil || again != key || os.MkdirAll(c.folder, 0o755) != nil {
		return
	}
	sum := sha256.Sum256([]byte(text))
	data, err := json.Marshal(meanFile{json.RawMessage(text), hex.EncodeToString(sum[:])})
	if err == nil {
		_ = atomicfile.WriteFile(atomicfile.OS, c.path(key), "mean", data)
	}
}
