// Package input opens the files that are read. Every file that a user can name, and every file of a
// run or a data set, is opened by it.
//
//	f, err := input.Open(path)         // a regular file, for reading
//	b, err := input.Read(path, most)   // all of it, if it has no more than so many bytes
//	b, err := input.ReadStream(path, most) // also from /dev/stdin and /dev/fd/N
//
// # Why not os.Open
//
// Opening a named pipe waits for its writer, for ever and deaf to signals, reading from a terminal
// waits for its user, and a device never ends. What is opened is therefore looked at first: it is
// opened without waiting and then asked what it is, in this order, so that nobody can put a pipe in
// its place between the question and the opening. What is no regular file is ErrNotRegular, and the
// message says what it is.
//
// # Pipes of the shell
//
// The pipe of `<(command)` and of standard input has its writer already. Where a command reads a
// file once from its beginning to its end, ReadStream takes those, and no other pipe.
package input
