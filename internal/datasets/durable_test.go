package datasets

import (
	"slices"
	"testing"

	"resnet/internal/atomicfile/atomicfiletest"
)

// TestFetchedFilesAreDurableOnTheRealDisk traces a process that downloads an archive and unpacks
// it. The archive is removed afterwards, so that what was unpacked must be on the disk before.
func TestFetchedFilesAreDurableOnTheRealDisk(t *testing.T) {
	calls, dir := atomicfiletest.Trace(t, func(dir string) {
		archive := archiveOf(t, good...)
		m := bundleMirror(t, map[string][]byte{"a.tar.gz": archive})
		b := bundle{base: m.URL, files: []remote{{name: "a.tar.gz", size: int64(len(archive)), digests: []string{sha256Of(archive)}}}, members: twoMembers}
		if err := fetchBundle(t.Context(), b, dir, quick(m)); err != nil {
			t.Fatal(err)
		}
	})
	names := atomicfiletest.RequireDurable(t, calls, dir)
	if want := []string{"a.tar.gz.part.json", "a.tar.gz", "set/one.bin", "set/two.bin"}; !slices.Equal(names, want) {
		t.Errorf("files got names in the order %q, want %q", names, want)
	}
}
