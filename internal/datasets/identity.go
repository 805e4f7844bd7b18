package datasets

import (
	"context"
	"strings"
	"sync"
)

// converted ends the identity of a data set whose files are not the published ones.
const converted = " (converted copy)"

// IsCopy reports whether an Identity is of files that are not the published ones.
func IsCopy(identity string) bool { return strings.HasSuffix(identity, converted) }

// CopyNote says what figures on a converted copy are; "" of another Identity.
func CopyNote(identity string) string {
	if !IsCopy(identity) {
		return ""
	}
	return identity + ": its files are not the published ones, so errors on it compare with others on the same copy, and the paper's do not stand beside them"
}

// Identity is the name under which figures on the data set stand beside others: its name or, where
// its files are not the published ones to the byte, "NAME (converted copy)", which is other data.
// Of a set of which no files are published it is the name. The files are read once more when it is
// asked for first.
func (d *Dataset) Identity(ctx context.Context) (string, error) {
	d.identity.mu.Lock()
	defer d.identity.mu.Unlock()
	if d.identity.name != "" {
		return d.identity.name, nil
	}
	name := d.info.Name
	if registry()[name].fetch != nil {
		r, err := Verify(ctx, name, d.dir)
		if err == nil {
			err = r.Err()
		}
		if err != nil {
			return "", err
		}
		if !r.OK() {
			name += converted
		}
	}
	d.identity.name = name
	return name, nil
}

// identified holds an identity once it is known.
type identified struct {
	mu   sync.Mutex
	name string
}
