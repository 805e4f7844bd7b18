package datasets

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// FuzzMeanFile: whatever is in the cache of means, it is passed over or is a normaliser that reads
// back as itself. Every second file has the digest that fits.
func FuzzMeanFile(f *testing.F) {
	text, err := imagenetNormalizer.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(text), true)
	f.Add([]byte(`{"normalizer":`+text+`,"sha256":"00"}`), false)
	f.Add([]byte(`{"kind":"pixel-mean","mean":[1e39]}`), true)
	f.Add([]byte(`null`), true)
	f.Fuzz(func(t *testing.T, data []byte, digest bool) {
		if digest {
			sum := sha256.Sum256(data)
			data = bytes.Join([][]byte{[]byte(`{"normalizer":`), data, []byte(`,"sha256":"`), []byte(hex.EncodeToString(sum[:])), []byte(`"}`)}, nil)
		}
		path := filepath.Join(t.TempDir(), "mean.json")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		n, ok := readMean(path)
		if !ok {
			return
		}
		text, err := n.Encode()
		if err != nil || !json.Valid([]byte(text)) {
			t.Fatalf("%+v does not encode: %v", n, err)
		}
		if _, err := DecodeNormalizer(text); err != nil {
			t.Fatalf("%+v is read again as %v", n, err)
		}
	})
}
