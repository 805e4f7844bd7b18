package atomicfile

import (
	"io"
	"os"
	"time"
)

// Owner is the process that a temporary name tells.
type Owner struct {
	Host string // "" in names of former versions
	PID  int
}

// strangerIdle is for how long a temporary file of another machine has to be left alone before it
// counts as abandoned: not every network file system shows the locks of others.
const strangerIdle = 24 * time.Hour

// abandoned decides about a file that no living process of this machine has claimed. known says
// that claims can be seen on its file system, idle how long ago it was last written to.
func (o Owner) abandoned(known bool, idle time.Duration) bool {
	switch {
	case o.Host != "" && o.Host != hostName():
		return known && idle > strangerIdle
	case o.Host == "" || !known: // former versions claimed nothing
		return o.PID != os.Getpid() && !processRuns(o.PID)
	}
	return true
}

// hostName is this machine's name with the characters that a temporary name can hold.
func hostName() string {
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "unknown"
	}
	clean := []byte(name[:min(len(name), maxHost)])
	for i, c := range clean {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '-') {
			clean[i] = '_'
		}
	}
	return string(clean)
}

// noClaim is the claim where files cannot be locked.
type noClaim struct{}

func (noClaim) Close() error { return nil }

var _ io.Closer = noClaim{}
