// Package atomicfiletest makes file operations fail, for tests of whatever writes files. Disk is a
// file system in memory that knows what a power failure would leave; OnOS is the real one, with
// faults. Run is the suite that every writer passes.
package atomicfiletest
