package checkpoint

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"

	"resnet/internal/atomicfile"
)

// CSV is a table that grows by a row at a time, whose column "step" orders it: metrics.csv,
// timing.csv. Rows are durable when Append returns. A trainer appends the row of a step before it
// saves the checkpoint of that step; then the rows up to a checkpoint's step are there whenever the
// checkpoint is, and OpenCSV with that step makes the file what it would be without the
// interruption.
type CSV struct {
	path    string
	columns int
	rows    *atomicfile.Appender
}

// OpenCSV opens the table, after TruncateCSV(fsys, path, header, step), and writes the header when
// it is new or empty. The header must have a column "step".
func OpenCSV(fsys atomicfile.FS, path string, header []string, step int64) (*CSV, error) {
	if err := TruncateCSV(fsys, path, header, step); err != nil {
		return nil, err
	}
	rows, err := atomicfile.OpenAppend(fsys, path)
	if err != nil {
		return nil, fmt.Errorf("open table: %w", err)
	}
	t := &CSV{path: path, rows: rows, columns: len(header)}
	if rows.Size() == 0 {
		if err = t.Append(header); err == nil {
			err = atomicfile.Error(fsys.SyncDir(filepath.Dir(path))) // the name is new
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open table %s: %w", path, err), rows.Close())
	}
	return t, nil
}

// Append adds a row and makes it durable. After an error the table is as before, and the next
// Append may succeed.
func (t *CSV) Append(row []string) error {
	if len(row) != t.columns {
		return fmt.Errorf("%s: a row of %d columns, want %d", t.path, len(row), t.columns)
	}
	line, err := encodeRow(row)
	if err != nil {
		return fmt.Errorf("%s: %w", t.path, err)
	}
	return t.rows.AppendSync(line)
}

// Size is that of the file with its whole rows, in bytes.
func (t *CSV) Size() int64 { return t.rows.Size() }

// Close closes the file; a part of a row that a failed Append left is removed.
func (t *CSV) Close() error { return t.rows.Close() }

// TruncateCSV removes the rows after a step, and everything from a row that is torn or has no step
// on: what an interrupted training wrote after the checkpoint that it resumes from. step < 0
// removes every row. A file that is not there is left so; one with other columns is an ErrCorrupt.
func TruncateCSV(fsys atomicfile.FS, path string, header []string, step int64) error {
	column := slices.Index(header, "step")
	if column < 0 {
		return fmt.Errorf("%s: no column %q in %q", path, "step", header)
	}
	data, err := atomicfile.ReadFile(fsys, path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return atomicfile.Error(fmt.Errorf("read table: %w", err))
	}
	first, err := encodeRow(header)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	var kept []byte
	switch {
	case bytes.HasPrefix(data, first):
		kept = keepRows(data, len(first), len(header), column, step)
	case !bytes.HasPrefix(first, data): // else empty, or torn in its first line
		return corruptf("%s: its columns are not %q: written by another version? move it away", path, header)
	}
	if len(kept) == len(data) {
		return nil
	}
	return atomicfile.WriteFile(fsys, path, Kind, kept)
}

// keepRows returns data up to the first row after start that is after step, or torn. A row is a
// line: no field of these tables holds a line break.
func keepRows(data []byte, start, columns, column int, step int64) []byte {
	at := start
	for at < len(data) {
		n := bytes.IndexByte(data[at:], '\n') + 1
		if n == 0 {
			break
		}
		r := csv.NewReader(bytes.NewReader(data[at : at+n]))
		row, err := r.Read()
		if err != nil || len(row) != columns {
			break
		}
		if s, err := strconv.ParseInt(row[column], 10, 64); err != nil || s > step {
			break
		}
		at += n
	}
	return data[:at]
}

func encodeRow(row []string) ([]byte, error) {
	for _, field := range row {
		if bytes.ContainsAny([]byte(field), "\r\n") {
			return nil, fmt.Errorf("field %q holds a line break", field)
		}
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if err := w.Write(row); err != nil {
		return nil, err
	}
	w.Flush()
	return b.Bytes(), w.Error()
}
