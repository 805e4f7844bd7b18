package weights

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// Bounds of an index of shards: one of 100,000 tensors has 10 MB.
const (
	maxIndex  = 16 << 20
	maxShards = 1000
)

// shardIndex reads the index of a network in several files, model.safetensors.index.json: the file
// of each tensor. ok is false for JSON that is none.
func shardIndex(r io.ReaderAt, size int64) (files map[string]string, ok bool, err error) {
	if size > maxIndex {
		return nil, false, nil
	}
	text := make([]byte, size)
	if n, err := r.ReadAt(text, 0); n < len(text) {
		return nil, false, err
	}
	var index struct {
		WeightMap map[string]string `json:"weight_map"`
	}
	if json.Unmarshal(text, &index) != nil || len(index.WeightMap) == 0 {
		return nil, false, nil
	}
	shards := map[string]bool{}
	for name, file := range index.WeightMap {
		if file == "" || filepath.Base(file) != file || strings.ContainsAny(file, `/\:`) || strings.HasSuffix(file, ".json") {
			return nil, true, fmt.Errorf("its index puts tensor %q into %q, which is no file beside it", name, file)
		}
		if shards[file] = true; len(shards) > maxShards {
			return nil, true, fmt.Errorf("an index of more than %d files", maxShards)
		}
	}
	return index.WeightMap, true, nil
}

// openShards opens the files of an index in its folder as one set of tensors.
func openShards(files map[string]string, path string) (*ForeignFile, error) {
	f := &ForeignFile{}
	fail := func(err error) (*ForeignFile, error) { return nil, errors.Join(err, f.Close()) }
	all := Set{Opaque: map[string]string{}}
	var parts []Set
	seen := map[string]int{}
	for _, name := range slices.Compact(slices.Sorted(maps.Values(files))) {
		shard, err := OpenForeign(filepath.Join(filepath.Dir(path), name))
		if err != nil {
			return fail(err)
		}
		f.closers = append(f.closers, shard)
		if len(shard.Sets) != 1 {
			return fail(fmt.Errorf("%s: %w: %s of its index holds %d sets of tensors, want one", path, ErrFormat, name, len(shard.Sets)))
		}
		part := shard.Sets[0]
		for _, t := range part.Tensors {
			if files[t.Name] != name {
				return fail(fmt.Errorf("%s: %w: %s holds tensor %q, and the index puts it into %q", path, ErrFormat, name, t.Name, files[t.Name]))
			}
			seen[t.Name]++
		}
		maps.Copy(all.Opaque, part.Opaque)
		all.Tensors = append(all.Tensors, part.Tensors...)
		parts = append(parts, part)
	}
	for name, file := range files {
		if seen[name] != 1 {
			return fail(fmt.Errorf("%s: %w: %s has no tensor %q, which the index puts into it", path, ErrFormat, file, name))
		}
	}
	all.load = func(keep func(string) bool) ([]Tensor, error) {
		var list []Tensor
		for _, part := range parts {
			some, err := part.load(keep)
			if err != nil {
				return nil, err
			}
			list = append(list, some...)
		}
		return list, nil
	}
	f.Sets = []Set{all}
	return f, nil
}
