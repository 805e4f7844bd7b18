//go:build unix

package input

import "golang.org/x/sys/unix"

// nonblock makes opening a pipe not wait for the other end. Of regular files it changes nothing.
const nonblock = unix.O_NONBLOCK
