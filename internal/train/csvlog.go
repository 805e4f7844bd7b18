package train

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
)

// csvLog is a file of comma-separated lines whose first field is a step. Whole lines are appended and synced; what could
// not be written stays pending and goes out with the next line.
type csvLog struct {
	path, header string
	size         int64 // bytes known to be whole lines
	pending      []byte
	warned       bool
}

// cut keeps the header and the rows up to the step, and drops later rows and an incomplete last line. A file that is
// missing, or does not begin with the header, starts anew.
func (c *csvLog) cut(step int) error {
	if c.path == "" {
		return nil
	}
	c.pending = nil
	old, err := os.ReadFile(c.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	kept := []byte(c.header + "\n")
	if rest, ok := bytes.CutPrefix(old, kept); ok {
		for line := range bytes.Lines(rest) {
			first, _, _ := bytes.Cut(line, []byte(","))
			at, err := strconv.Atoi(string(first))
			if err != nil || at > step || line[len(line)-1] != '\n' {
				break
			}
			kept = append(kept, line...)
		}
	}
	c.size = 0
	if bytes.HasPrefix(old, kept) {
		// The kept rows are a prefix of the file: cutting off the rest cannot lose them.
		c.size = int64(len(kept))
		if len(old) > len(kept) {
			return os.Truncate(c.path, c.size)
		}
		return nil
	}
	c.pending = kept
	return c.flush()
}

// append adds a line and writes everything pending.
func (c *csvLog) append(line string) error {
	if c.path == "" {
		return nil
	}
	c.pending = append(append(c.pending, line...), '\n')
	return c.flush()
}

func (c *csvLog) flush() (err error) {
	f, err := os.OpenFile(c.path, os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		return err
	}
	defer func() {
		if e := f.Close(); err == nil && e != nil {
			err = fmt.Errorf("%s: %w", c.path, e)
		}
	}()
	// After a short write, half a line is left behind size: it is overwritten here.
	if err := f.Truncate(c.size); err != nil {
		return err
	}
	if _, err := f.WriteAt(c.pending, c.size); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	c.size += int64(len(c.pending))
	c.pending = nil
	return nil
}

// lastField returns field i of the last whole line, or 0 when there is none.
func (c *csvLog) lastField(i int) float64 {
	b, err := os.ReadFile(c.path)
	if err != nil {
		return 0
	}
	lines := bytes.Split(bytes.TrimSpace(b), []byte("\n"))
	fields := bytes.Split(lines[len(lines)-1], []byte(","))
	if i >= len(fields) {
		return 0
	}
	x, err := strconv.ParseFloat(string(fields[i]), 64)
	if err != nil {
		return 0
	}
	return x
}
