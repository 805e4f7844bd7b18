package datasets

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"resnet/internal/atomicfile"
)

// meanCache keeps a measured normaliser in the user's cache folder, resnet/means/KEY.json. The key
// is a digest of everything that the measurement depends on, as far as it is known without
// decoding: which images, in which view. Files whose contents change under their names are not
// noticed; the cache can be deleted at any time.
type meanCache struct{ path string }

// meanFile is what is kept: the normaliser and the digest of it, so that damage is noticed.
type meanFile struct {
	Normalizer json.RawMessage `json:"normalizer"`
	SHA256     string          `json:"sha256"`
}

// maxMeanFile bounds what is read: 3×512×512 numbers of a dozen characters.
const maxMeanFile = 16 << 20

// newMeanCache names the file; without a cache folder nothing is kept.
func newMeanCache(d *Dataset, kind string) meanCache {
	cache, err := os.UserCacheDir()
	if err != nil {
		return meanCache{}
	}
	h := sha256.New()
	p := d.about.view
	fmt.Fprintf(h, "1 %s {size:%d resize:%d downsample:%d} %s\n", kind, p.Size, p.Resize, p.Downsample, d.about.stamp)
	v := d.views[Train]
	for _, i := range d.sample(Train) {
		fmt.Fprintln(h, d.src.place(v.from, v.at(int(i))))
	}
	return meanCache{filepath.Join(cache, "resnet", "means", hex.EncodeToString(h.Sum(nil)[:16])+".json")}
}

// load reads the normaliser; whatever is wrong with the file, it is as if there were none.
func (c meanCache) load() (Normalizer, bool) {
	if c.path == "" {
		return Normalizer{}, false
	}
	if st, err := os.Stat(c.path); err != nil || !st.Mode().IsRegular() || st.Size() > maxMeanFile {
		return Normalizer{}, false
	}
	text, err := os.ReadFile(c.path)
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

// save keeps the normaliser if it can: without it the next start measures again.
func (c meanCache) save(n Normalizer) {
	text, err := n.Encode()
	if err != nil || c.path == "" || os.MkdirAll(filepath.Dir(c.path), 0o755) != nil {
		return
	}
	sum := sha256.Sum256([]byte(text))
	data, err := json.Marshal(meanFile{json.RawMessage(text), hex.EncodeToString(sum[:])})
	if err == nil {
		_ = atomicfile.WriteFile(atomicfile.OS, c.path, "mean", data)
	}
}
