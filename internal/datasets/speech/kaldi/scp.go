package kaldi

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"resnet/internal/datasets/fault"
)

// Range is a range of rows or columns, both ends included. The zero value means all.
type Range struct {
	Set         bool
	First, Last int
}

// Entry is a line of a script.
type Entry struct {
	Key  string
	Path string // as written
	// The command that stood there, which does nothing but read Path: see ReadScpWith.
	Command string
	// Bytes from the start of the file to the object, behind its key; 0 also where none is written.
	Offset     int64
	Rows, Cols Range
	Line       int // counted from 1
}

// Scp is a script: which object belongs to which key.
type Scp struct {
	// Its file, for messages and as the second place where relative paths are looked for.
	Name    string
	Entries []Entry
	index   map[string]int
}

// ReadScp reads a script. Lines that name a pipe or standard input, and keys that come twice, are
// fault.ErrData with the line. No other file is opened yet.
func ReadScp(path string) (*Scp, error) { return ReadScpWith(path, nil) }

// ReadScpWith is ReadScp, but that it asks about pipes: reads names the file that a command
// (without its bar) does nothing but read, or not. Commands are never run; those that are left are
// refused together.
func ReadScpWith(path string, reads func(command string) (file string, ok bool)) (*Scp, error) {
	s := &Scp{Name: path, index: map[string]int{}}
	var refused error
	lines, commands := 0, 0
	err := EachLine(path, func(line int, key, rest string) error {
		lines++
		e, err := parseEntry(key, rest)
		if pipe := (pipeError{}); errors.As(err, &pipe) {
			command, bar := strings.CutSuffix(rest, "|")
			e.Command = strings.TrimSpace(command)
			ok := false
			if bar && reads != nil {
				e.Path, ok = reads(e.Command)
			}
			if !ok {
				if commands++; refused == nil {
					refused = fmt.Errorf("%s:%d: %w", path, line, err)
				}
				return nil
			}
		} else if err != nil {
			return err
		}
		e.Line = line
		if i, twice := s.index[key]; twice {
			return fault.Dataf("the key %q comes twice, first in line %d", key, s.Entries[i].Line)
		}
		s.index[key] = len(s.Entries)
		s.Entries = append(s.Entries, e)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if commands > 1 {
		refused = fmt.Errorf("%w (and so are %d more of the %d lines)", refused, commands-1, lines)
	}
	if refused != nil {
		return nil, refused
	}
	if len(s.Entries) == 0 {
		return nil, fault.Dataf("%s: no line", path)
	}
	return s, nil
}

// Lookup finds the entry of a key.
func (s *Scp) Lookup(key string) (Entry, bool) {
	i, ok := s.index[key]
	if !ok {
		return Entry{}, false
	}
	return s.Entries[i], true
}

// pipeError is the refusal of a command or of standard input.
type pipeError struct{ error }

func (e pipeError) Unwrap() error { return e.error }

// parseEntry reads what stands behind a key.
func parseEntry(key, rest string) (Entry, error) {
	e := Entry{Key: key}
	if rest == "" {
		return e, fault.Dataf("the key %q has no file", key)
	}
	if err := refusePipe(rest, fmt.Sprintf("the entry %q", key)); err != nil {
		return e, pipeError{err}
	}
	if strings.HasSuffix(rest, "]") {
		open := strings.LastIndexByte(rest, '[')
		if open <= 0 {
			return e, fault.Dataf("%q: no range of rows", rest)
		}
		var err error
		if e.Rows, e.Cols, err = parseRanges(rest[open+1 : len(rest)-1]); err != nil {
			return e, err
		}
		rest = rest[:open]
	}
	e.Path = rest
	if i := strings.LastIndexByte(rest, ':'); i > 0 && i < len(rest)-1 && strings.Trim(rest[i+1:], "0123456789") == "" {
		n, err := strconv.ParseInt(rest[i+1:], 10, 64)
		if err != nil {
			return e, fault.Dataf("%q: the offset is no number of 64 bits", rest)
		}
		e.Path, e.Offset = rest[:i], n
	}
	return e, nil
}

// parseRanges reads "a:b" or "a:b,c:d"; an empty part, or a colon alone, means all.
func parseRanges(text string) (rows, cols Range, err error) {
	parts := strings.Split(text, ",")
	for i, into := range []*Range{&rows, &cols} {
		if i >= len(parts) || parts[i] == "" || parts[i] == ":" {
			continue
		}
		first, last, colon := strings.Cut(parts[i], ":")
		a, errA := strconv.Atoi(first)
		b, errB := strconv.Atoi(last)
		if !colon || errA != nil || errB != nil || a < 0 || b < a {
			return rows, cols, fault.Dataf("[%s]: a range is written [first:last] or [first:last,first:last], counted from 0, both included", text)
		}
		*into = Range{true, a, b}
	}
	if len(parts) > 2 {
		return rows, cols, fault.Dataf("[%s]: rows and columns, and no third range", text)
	}
	return rows, cols, nil
}

// Locate returns the file of an entry: its path from the working directory, or, if that is relative
// and no file is there, from the script's folder.
func (s *Scp) Locate(e Entry) (string, error) {
	_, err := os.Stat(e.Path)
	if err == nil || !fault.Absent(err) {
		return e.Path, nil // another error shows when it is opened
	}
	beside := filepath.Join(filepath.Dir(s.Name), e.Path)
	if filepath.IsAbs(e.Path) || beside == filepath.Clean(e.Path) {
		return "", fault.Errorf(fault.ErrMissing, "%s:%d: %q: there is no file %s", s.Name, e.Line, e.Key, e.Path)
	}
	if _, err := os.Stat(beside); err != nil {
		return "", fault.Errorf(fault.ErrMissing, "%s:%d: %q: there is no file %s, from the working directory or from the script's folder", s.Name, e.Line, e.Key, e.Path)
	}
	return beside, nil
}

// Read reads the object of an entry, cut to its range. It may be called from several goroutines.
func (s *Scp) Read(e Entry) (Value, error) {
	v, err := s.read(e)
	if err != nil && !strings.HasPrefix(err.Error(), s.Name+":") {
		err = fmt.Errorf("%s:%d: %q: %w", s.Name, e.Line, e.Key, err)
	}
	return v, err
}

func (s *Scp) read(e Entry) (Value, error) {
	path, err := s.Locate(e)
	if err != nil {
		return Value{}, err
	}
	src, err := openFile(path, e.Offset)
	if err != nil {
		return Value{}, err
	}
	defer src.Close()
	r := &Reader{r: src.Reader, name: path, at: e.Offset, limit: src.limit}
	v, err := r.object()
	if err != nil {
		return Value{}, fmt.Errorf("%s: at byte %d: %w", path, e.Offset, err)
	}
	return v.cut(e.Rows, e.Cols)
}

// rangeSlack is how far a range of rows may reach beyond a matrix, which is then cut there: Kaldi
// allows it for the frames that windows lose at the end of a recording.
const rangeSlack = 3

// cut returns the rows and columns of a matrix, both ends included.
func (v Value) cut(rows, cols Range) (Value, error) {
	if !rows.Set && !cols.Set {
		return v, nil
	}
	data, err := v.Matrix()
	if err != nil {
		return Value{}, fmt.Errorf("a range of %w", err)
	}
	if !rows.Set {
		rows = Range{true, 0, v.Rows - 1}
	}
	if !cols.Set {
		cols = Range{true, 0, v.Cols - 1}
	}
	if rows.First >= v.Rows || rows.Last >= v.Rows+rangeSlack || cols.Last >= v.Cols {
		return Value{}, fault.Dataf("the range [%d:%d,%d:%d] of a matrix of %d × %d", rows.First, rows.Last, cols.First, cols.Last, v.Rows, v.Cols)
	}
	rows.Last = min(rows.Last, v.Rows-1)
	out := Value{Kind: FloatMatrix, Rows: rows.Last - rows.First + 1, Cols: cols.Last - cols.First + 1}
	for i := rows.First; i <= rows.Last; i++ {
		out.Floats = append(out.Floats, data[i*v.Cols+cols.First:i*v.Cols+cols.Last+1]...)
	}
	return out, nil
}
