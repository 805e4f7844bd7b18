package experiment

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"resnet/internal/blocks"
	"resnet/internal/config"
	"resnet/internal/datasets"
)

func TestPublishedWeightsAreRowsWithDigests(t *testing.T) {
	for _, p := range AllPublished() {
		s, err := blocks.Lookup(p.Arch)
		if err != nil || s.Block == blocks.Bottleneck && !s.StrideIn3x3 {
			t.Errorf("%s: %s, %v", p.Name, p.Arch, err)
		}
		if !regexp.MustCompile(`^[0-9a-f]{8}$`).MatchString(p.digest()) {
			t.Errorf("%s: digest %q", p.Name, p.digest())
		}
	}
	// torchvision/models/resnet.py: accuracies of 76.130 and 80.858.
	for name, want := range map[string]float64{"resnet50-v1": 23.87, "resnet50-v2": 19.142} {
		if p, err := LookupPublished(name); err != nil || p.Top1 != want {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
	var usage *config.UsageError
	if _, err := LookupPublished("resnet5"); !errors.As(err, &usage) {
		t.Error(err)
	}
}

// TestPublishedWeightsAreFetchedAndBecomeACheckpoint fetches from a server of its own that drops
// the first connection in the middle: the second goes on there. The digest in the name decides.
func TestPublishedWeightsAreFetchedAndBecomeACheckpoint(t *testing.T) {
	dir := t.TempDir()
	net := initialised(t, "resnet20b", 10, 1)
	content, err := os.ReadFile(stored(t, filepath.Join(dir, "in.safetensors"), net))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	var ranges []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ranges = append(ranges, r.Header.Get("Range"))
		w.Header().Set("ETag", `"a"`)
		if len(ranges) == 1 {
			w.Header().Set("Content-Length", strconv.Itoa(len(content)))
			_, _ = w.Write(content[:len(content)/2])
			return
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	}))
	defer server.Close()
	o := datasets.FetchOptions{BaseURL: server.URL, AllowHTTP: true, Backoff: time.Millisecond, Attempts: 2}
	p := Published{Name: "r", File: "resnet20-" + hex.EncodeToString(sum[:4]) + ".pth", Arch: "resnet20b", Resize: 40}
	path, err := p.Fetch(t.Context(), dir, o)
	if err != nil || path != filepath.Join(dir, p.File) {
		t.Fatal(path, err)
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes, want %d (%v)", len(got), len(content), err)
	}
	if len(ranges) != 2 || ranges[0] != "" || ranges[1] == "" {
		t.Errorf("ranges %q", ranges)
	}
	if _, err := p.Fetch(t.Context(), dir, o); err != nil || len(ranges) != 2 {
		t.Errorf("what is there was fetched again: %q, %v", ranges, err)
	}
	out := filepath.Join(dir, "out.safetensors")
	r, err := p.Import(path, out)
	if err != nil || r.Dataset != "imagenet" {
		t.Fatalf("%+v, %v", r, err)
	}
	if m := wantTensors(t, "fetched", out, net); !slices.Equal(m.Preprocessing.Std, []float32{0.229, 0.224, 0.225}) {
		t.Errorf("%+v", m.Preprocessing)
	}
	// Another file under that name, and one that is there already and differs.
	wrong := Published{Name: "r", File: "resnet20-01234567.pth"}
	if _, err := wrong.Fetch(t.Context(), dir, o); !errors.Is(err, datasets.ErrData) {
		t.Errorf("another digest: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, wrong.File)); err == nil {
		t.Error("a file of another digest has its name")
	}
	if err := os.WriteFile(path, content[1:], 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Fetch(t.Context(), dir, o); !errors.Is(err, datasets.ErrData) {
		t.Errorf("a file that differs: %v", err)
	}
}
