package datasets

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"resnet/internal/input"
)

// tarMember is an image inside an archive, possibly inside an archive inside it, as a range of the
// outer file.
type tarMember struct {
	name         string // with the folders and inner archives that it is in
	offset, size int64
}

const (
	// maxMembers bounds an index: the training archive has 1,281,167 images.
	maxMembers = 4 << 20
	// maxMemberName bounds the names in an index.
	maxMemberName = 255
)

// tarIndexer lists the images of an archive and of the archives directly inside it, without
// unpacking anything.
type tarIndexer struct {
	ctx     context.Context
	members []tarMember
	seen    map[string]bool
	// labels, unless it is nil, gets the files with labels, by keyOf their names.
	labels map[string]tarMember
}

// indexTar reads the headers of an archive of so many bytes. Names that lead outside, links,
// devices, sparse files, members twice and members that reach past the end are ErrData: whoever
// made such an archive did not make it for training. Nothing is written.
func indexTar(ctx context.Context, r io.ReaderAt, size int64) ([]tarMember, error) {
	x := tarIndexer{ctx: ctx, seen: map[string]bool{}}
	if err := x.walk(r, 0, size, "", true); err != nil {
		return nil, err
	}
	return x.members, nil
}

// walk reads the archive at [start, start+size) of r; prefix is put before its names, and inner
// says that archives in it are read.
func (x *tarIndexer) walk(r io.ReaderAt, start, size int64, prefix string, inner bool) error {
	section := io.NewSectionReader(r, start, size)
	t := tar.NewReader(section)
	for entries := 0; ; entries++ {
		if err := x.ctx.Err(); err != nil {
			return err
		}
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return archiveFault(err, fmt.Sprintf("%sentry %d", prefix, entries))
		}
		name, err := safeEntry(h)
		if err != nil {
			return err
		}
		if h.Typeflag == tar.TypeDir {
			continue
		}
		// The reader stops just behind the header, where the contents begin.
		at, err := section.Seek(0, io.SeekCurrent)
		if err != nil {
			return err
		}
		switch {
		case isSparse(h):
			return faultf(ErrData, "%sentry %q: a sparse file", prefix, h.Name)
		case h.Size < 0 || h.Size > size-at:
			return faultf(ErrData, "%sentry %q: %d bytes at byte offset %d, and the archive has %d: is it cut off?", prefix, h.Name, h.Size, start+at, start+size)
		}
		switch {
		case strings.EqualFold(filepath.Ext(name), ".tar"):
			if !inner {
				return faultf(ErrData, "%sentry %q: an archive in an archive in an archive", prefix, h.Name)
			}
			folder := prefix + strings.TrimSuffix(name, filepath.Ext(name)) + "/"
			if err := x.walk(r, start+at, h.Size, folder, false); err != nil {
				return err
			}
		case x.labels != nil && isLabelName(name):
			if err := x.addLabel(tarMember{name, start + at, h.Size}); err != nil {
				return err
			}
		case isImageName(name):
			if err := x.add(tarMember{prefix + name, start + at, h.Size}); err != nil {
				return err
			}
		}
	}
}

// isSparse reports whether a file's contents are not in the archive as they are.
func isSparse(h *tar.Header) bool {
	if h.Typeflag == tar.TypeGNUSparse {
		return true
	}
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return false
}

func (x *tarIndexer) add(m tarMember) error {
	switch {
	case m.size > maxImageFile:
		return faultf(ErrData, "entry %q: %d bytes, and an image file may have %d", m.name, m.size, maxImageFile)
	case len(m.name) > maxMemberName:
		return faultf(ErrData, "entry %.60q…: a name of %d bytes", m.name, len(m.name))
	case x.seen[m.name]:
		return faultf(ErrData, "entry %q: there twice", m.name)
	case len(x.members) >= maxMembers:
		return faultf(ErrData, "more than %d images", maxMembers)
	}
	x.seen[m.name] = true
	x.members = append(x.members, m)
	return nil
}

// tarList is a split whose images are members of archives.
type tarList struct {
	set     string
	files   []*os.File // open as long as the data set
	members []tarMember
	file    []uint16 // of each member
	labels  []int32
}

func (l *tarList) count() int      { return len(l.members) }
func (l *tarList) label(i int) int { return int(l.labels[i]) }
func (l *tarList) id(i int) string { return l.members[i].name }

func (l *tarList) place(i int) string {
	return fmt.Sprintf("%s: %s (byte offset %d)", l.files[l.file[i]].Name(), l.members[i].name, l.members[i].offset)
}

func (l *tarList) size(i int) (int64, error) { return l.members[i].size, nil }

func (l *tarList) state(i int) (string, error) {
	s, err := input.StateOf(l.files[l.file[i]])
	return fmt.Sprint(s, l.members[i].offset, l.members[i].size), err
}

func (l *tarList) read(i int, buf []byte) ([]byte, error) {
	m := l.members[i]
	buf = grow(buf, int(m.size))
	if _, err := l.files[l.file[i]].ReadAt(buf, m.offset); err != nil && (err != io.EOF || m.size > 0) {
		return nil, streamFault(err, "%s: %s", l.set, l.place(i))
	}
	return buf, nil
}
