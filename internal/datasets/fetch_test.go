package datasets

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestDownloadResumesAfterADropAtEachTenth(t *testing.T) {
	content := randomBytes(200_000)
	for tenth := 1; tenth <= 9; tenth++ {
		at := len(content) * tenth / 10
		m := newMirror(t, content, `"a"`, func(w http.ResponseWriter, r *http.Request, n int) bool {
			if n == 0 {
				dropAfter(w, r, content, `"a"`, at)
			}
			return n == 0
		})
		dir, err := try(t, m, file(content), quick(m))
		if err != nil {
			t.Fatalf("drop at %d %%: %v", 10*tenth, err)
		}
		wantFile(t, dir, content)
		if got, want := m.requests(), []string{"", fmt.Sprintf("bytes=%d-", at)}; !slices.Equal(got, want) {
			t.Errorf("drop at %d %%: ranges %q, want %q", 10*tenth, got, want)
		}
	}
}

func TestDownloadSurvivesADropInEveryRequest(t *testing.T) {
	content := randomBytes(200_000)
	m := newMirror(t, content, `"a"`, func(w http.ResponseWriter, r *http.Request, n int) bool {
		dropAfter(w, r, content, `"a"`, len(content)/10)
		return true
	})
	dir, err := try(t, m, file(content), quick(m))
	if err != nil {
		t.Fatal(err)
	}
	wantFile(t, dir, content)
}

func TestAnotherFetchGoesOnWhereOneWasStopped(t *testing.T) {
	content := randomBytes(400_000)
	m := newMirror(t, content, `"a"`, func(w http.ResponseWriter, r *http.Request, n int) bool {
		if got := r.Header.Get("If-Range"); n == 1 && got != `"a"` {
			t.Errorf("If-Range %q, want the version that the part is of", got)
		}
		if n == 0 { // the first request brings 150,000 bytes, then nothing more
			w.Header().Set("ETag", `"a"`)
			w.Header().Set("Content-Length", fmt.Sprint(len(content)))
			w.Write(content[:150_000])
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}
		return n == 0
	})
	dir := t.TempDir()
	ctx, stop := context.WithCancel(t.Context())
	o := quick(m)
	o.Progress = func(p Progress) {
		if p.File != "file" || p.Total != int64(len(content)) {
			t.Errorf("progress %+v", p)
		}
		if p.Done > 100_000 {
			stop()
		}
	}
	if err := download(ctx, m.URL+"/", file(content), dir, o); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want context.Canceled", err)
	}
	wantNoFile(t, dir)
	st, err := os.Stat(filepath.Join(dir, "file.part"))
	if err != nil || st.Size() < 100_000 {
		t.Fatal("the part was not kept", err)
	}
	if err := download(t.Context(), m.URL+"/", file(content), dir, quick(m)); err != nil {
		t.Fatal(err)
	}
	wantFile(t, dir, content)
	if got, want := m.requests()[1], fmt.Sprintf("bytes=%d-", st.Size()); got != want {
		t.Errorf("range %q, want %q", got, want)
	}
}

func TestDownloadStartsOverWhenTheFileHasChanged(t *testing.T) {
	old, content := randomBytes(100_001)[1:], randomBytes(100_000)
	for name, second := range map[string]func(w http.ResponseWriter, r *http.Request){
		"the server heeds If-Range": func(w http.ResponseWriter, r *http.Request) { serve(w, r, content, `"new"`) },
		"the server ignores If-Range": func(w http.ResponseWriter, r *http.Request) {
			r.Header.Del("If-Range")
			serve(w, r, content, `"new"`)
		},
		"the server has no ranges": func(w http.ResponseWriter, r *http.Request) { w.Write(content) },
		"the server sends another range": func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") != "" {
				r.Header.Set("Range", "bytes=7-")
				r.Header.Del("If-Range")
			}
			serve(w, r, content, `"new"`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMirror(t, content, "", func(w http.ResponseWriter, r *http.Request, n int) bool {
				if n == 0 {
					dropAfter(w, r, old, `"old"`, len(old)/2)
				} else {
					second(w, r)
				}
				return true
			})
			dir, err := try(t, m, file(content), quick(m))
			if err != nil {
				t.Fatal(err)
			}
			wantFile(t, dir, content)
		})
	}
}

func TestDownloadStartsOverOn416(t *testing.T) {
	content := randomBytes(50_000)
	m := newMirror(t, content, `"a"`, nil)
	dir := t.TempDir()
	r := file(content)
	r.size = 0 // so that the length of the part is not suspicious by itself
	if err := os.WriteFile(filepath.Join(dir, "file.part"), randomBytes(60_000), 0o644); err != nil {
		t.Fatal(err)
	}
	note := fmt.Sprintf(`{"url":%q,"etag":"\"a\""}`, m.URL+"/file")
	if err := os.WriteFile(filepath.Join(dir, "file.part.json"), []byte(note), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := download(t.Context(), m.URL+"/", r, dir, quick(m)); err != nil {
		t.Fatal(err)
	}
	wantFile(t, dir, content)
	if got := m.requests(); !slices.Equal(got, []string{"bytes=60000-", ""}) {
		t.Errorf("ranges %q", got)
	}
}

func TestAPartOfAnotherAddressIsNotTrusted(t *testing.T) {
	content := randomBytes(50_000)
	m := newMirror(t, content, `"a"`, nil)
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "file.part"), content[:100], 0o644)
	os.WriteFile(filepath.Join(dir, "file.part.json"), []byte(`{"url":"https://elsewhere/file"}`), 0o644)
	if err := download(t.Context(), m.URL+"/", file(content), dir, quick(m)); err != nil {
		t.Fatal(err)
	}
	if got := m.requests(); !slices.Equal(got, []string{""}) {
		t.Errorf("ranges %q, want one request for the whole", got)
	}
}

// TestWithoutACacheFolderTheFlagIsNamed: data.dir is a key of a configuration, which fetching has
// none of.
func TestWithoutACacheFolderTheFlagIsNamed(t *testing.T) {
	t.Setenv("HOME", "")
	t.Setenv("XDG_CACHE_HOME", "")
	err := Fetch(t.Context(), "cifar10", "", FetchOptions{})
	if _, e := Verify(t.Context(), "cifar10", ""); !errors.Is(e, ErrMissing) || !strings.HasSuffix(e.Error(), "with --dir") {
		t.Errorf("verify: %v", e)
	}
	if !errors.Is(err, ErrMissing) || !strings.HasSuffix(err.Error(), "name a folder with --dir") {
		t.Errorf("fetch: %v", err)
	}
}
