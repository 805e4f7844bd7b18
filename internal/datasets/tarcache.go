package datasets

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"resnet/internal/atomicfile"
	"resnet/internal/input"
)

// An index is kept beside its archive, as NAME.tar.index:
//
//	resnet tar index 1\n
//	{"archive_bytes": …, "archive_mtime_ns": …, "members": …, "sha256": "…"}\n
//	for each member: uvarint length of the name, the name,
//	    zigzag varint of its offset less the end of the member before it, uvarint size
//
// The digest is of what follows the second line. An index that does not parse, is damaged, or is of
// an archive of another size, time or inode is made anew.
const (
	indexMagic  = "resnet tar index 1\n"
	indexSuffix = ".index"
	// maxIndex bounds the file: 4 Mi members with the longest names.
	maxIndex = 1 << 30
)

type indexHead struct {
	Bytes int64 `json:"archive_bytes"`
	MTime int64 `json:"archive_mtime_ns"`
	// Of its last change of any kind; 0 where the system does not say.
	CTime   int64  `json:"archive_ctime_ns,omitempty"`
	Inode   uint64 `json:"archive_inode,omitempty"`
	Members int    `json:"members"`
	SHA256  string `json:"sha256"`
}

// openTar gives the images of an archive from the index beside it, or makes the index. note is ""
// or says what became of the index.
func openTar(ctx context.Context, path string) (f *os.File, members []tarMember, note string, err error) {
	if f, err = input.Open(path); err != nil {
		return nil, nil, "", openFault("imagenet: "+path, err, "has it been moved?")
	}
	st, err := input.StateOf(f)
	if err != nil {
		f.Close()
		return nil, nil, "", err
	}
	head := indexHead{Bytes: st.Bytes, MTime: st.MTime, CTime: st.CTime, Inode: st.Inode}
	members, why := loadIndex(path+indexSuffix, head)
	if why == nil {
		return f, members, "", nil
	}
	if members, err = indexTar(ctx, f, st.Bytes); err != nil {
		f.Close()
		return nil, nil, "", fmt.Errorf("imagenet: %s: %w", path, err)
	}
	if !errors.Is(why, os.ErrNotExist) {
		note = fmt.Sprintf("%s was made anew: %v", path+indexSuffix, why)
	}
	if after, err := input.StateOf(f); err != nil || after != st {
		f.Close()
		return nil, nil, "", faultf(ErrData, "imagenet: %s: it was changed while it was read: start again when it is complete", path)
	}
	if err := saveIndex(atomicfile.OS, path+indexSuffix, head, members); err != nil {
		note = fmt.Sprintf("the index of %s could not be kept and will be made at every start: %v", path, err)
	}
	return f, members, note, nil
}

func loadIndex(path string, want indexHead) ([]tarMember, error) {
	data, err := input.Read(path, maxIndex)
	if err != nil {
		return nil, err
	}
	return parseIndex(data, want)
}

// parseIndex reads an index of the archive that want describes. Whatever it says is inside that
// archive.
func parseIndex(data []byte, want indexHead) ([]tarMember, error) {
	rest, ok := bytes.CutPrefix(data, []byte(indexMagic))
	line, payload, newline := bytes.Cut(rest, []byte("\n"))
	var head indexHead
	if !ok || !newline || json.Unmarshal(line, &head) != nil {
		return nil, faultf(ErrData, "not an index of this version")
	}
	if head.Bytes != want.Bytes || head.MTime != want.MTime || head.CTime != want.CTime || head.Inode != want.Inode {
		return nil, faultf(ErrData, "the archive has changed since")
	}
	if sum := sha256.Sum256(payload); head.SHA256 != hex.EncodeToString(sum[:]) {
		return nil, faultf(ErrData, "its checksum is wrong")
	}
	if head.Members < 0 || head.Members > len(payload)/3 || head.Members > maxMembers {
		return nil, faultf(ErrData, "%d members in %d bytes", head.Members, len(payload))
	}
	// One text that the names are parts of: a string of its own for each would take twice the
	// memory.
	text := string(payload)
	members := make([]tarMember, 0, head.Members)
	at, end := 0, int64(0)
	number := func() (uint64, bool) {
		v, n := binary.Uvarint(payload[at:])
		at += max(n, 0)
		return v, n > 0
	}
	for len(members) < head.Members {
		length, ok := number()
		if !ok || length > maxMemberName || int(length) > len(payload)-at {
			return nil, faultf(ErrData, "member %d: its name", len(members))
		}
		m := tarMember{name: text[at : at+int(length)]}
		at += int(length)
		gap, okGap := number()
		size, okSize := number()
		m.offset, m.size = end+unzigzag(gap), int64(size)
		if !okGap || !okSize || size > maxImageFile || m.offset < 0 || m.offset > want.Bytes-m.size {
			return nil, faultf(ErrData, "member %d: %d bytes at %d of %d", len(members), size, m.offset, want.Bytes)
		}
		end = m.offset + m.size
		members = append(members, m)
	}
	if at != len(payload) {
		return nil, faultf(ErrData, "%d bytes behind the last member", len(payload)-at)
	}
	return members, nil
}

// saveIndex writes the index: whole, or not at all.
func saveIndex(fsys atomicfile.FS, path string, head indexHead, members []tarMember) error {
	var payload []byte
	end := int64(0)
	for _, m := range members {
		payload = binary.AppendUvarint(payload, uint64(len(m.name)))
		payload = append(payload, m.name...)
		payload = binary.AppendUvarint(payload, zigzag(m.offset-end))
		payload = binary.AppendUvarint(payload, uint64(m.size))
		end = m.offset + m.size
	}
	sum := sha256.Sum256(payload)
	head.Members, head.SHA256 = len(members), hex.EncodeToString(sum[:])
	line, err := json.Marshal(head)
	if err != nil {
		return err
	}
	return atomicfile.WriteFile(fsys, path, "index", bytes.Join([][]byte{[]byte(indexMagic), line, []byte("\n"), payload}, nil))
}

func zigzag(v int64) uint64   { return uint64(v<<1 ^ v>>63) }
func unzigzag(u uint64) int64 { return int64(u>>1) ^ -int64(u&1) }
