package kaldi

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"resnet/internal/datasets/fault"
)

// Each calls f for every entry of an archive or script, in order, until f fails. What it is, its
// name says: `.scp` (or `.scp.gz`) is a script, all else an archive; a prefix `scp:` or `ark:`, as
// in Kaldi's rspecifiers, decides it.
func Each(path string, f func(key string, v Value) error) error {
	script, path, err := IsScript(path)
	if err != nil {
		return err
	}
	if script {
		s, err := ReadScp(path)
		if err != nil {
			return err
		}
		for _, e := range s.Entries {
			v, err := s.Read(e)
			if err == nil {
				err = f(e.Key, v)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	r, err := OpenArk(path)
	if err != nil {
		return err
	}
	defer r.Close()
	for {
		key, v, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = f(key, v)
		}
		if err != nil {
			return err
		}
	}
}

// IsScript tells scripts from archives by name, and returns the name without Kaldi's prefix.
func IsScript(path string) (script bool, bare string, err error) {
	kind, rest, found := strings.Cut(path, ":")
	if found {
		words := strings.Split(kind, ",")
		switch words[0] {
		case "scp", "ark": // ark,t: and the like: reading sees by itself what is text
			if err := refusePipe(rest, "the input"); err != nil {
				return false, "", err
			}
			return words[0] == "scp", rest, nil
		}
	}
	if err := refusePipe(path, "the input"); err != nil {
		return false, "", err
	}
	return strings.HasSuffix(strings.TrimSuffix(path, ".gz"), ".scp"), path, nil
}

// ReadIntegers reads all integer vectors of an archive or script: alignments or pdf numbers by
// utterance.
func ReadIntegers(path string) (map[string][]int32, error) {
	all := map[string][]int32{}
	err := Each(path, func(key string, v Value) error {
		ints, err := v.Alignment()
		if err != nil {
			return fault.Dataf("%s: %q: %w", path, key, err)
		}
		if _, twice := all[key]; twice {
			return fault.Dataf("%s: the key %q comes twice", path, key)
		}
		all[key] = ints
		return nil
	})
	return all, err
}

// ReadObject reads a file that holds one object without a key, such as a matrix of global CMVN
// statistics.
func ReadObject(path string) (Value, error) {
	if err := refusePipe(path, "the input"); err != nil {
		return Value{}, err
	}
	s, err := openFile(path, 0)
	if err != nil {
		return Value{}, err
	}
	defer s.Close()
	v, err := (&Reader{r: s.Reader, name: path, limit: s.limit}).object()
	if err != nil {
		return Value{}, fmt.Errorf("%s: %w", path, err)
	}
	return v, nil
}
