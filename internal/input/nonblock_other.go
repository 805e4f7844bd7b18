//go:build !unix

package input

// nonblock is nothing: here pipes have names of their own and opening them does not wait.
const nonblock = 0
