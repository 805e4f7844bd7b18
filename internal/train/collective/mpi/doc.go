// Package mpi is the Group of processes that an MPI launcher has started: mpirun, srun, Kubernetes'
// MPI operator. The library of the system is opened when the program runs, without cgo, so one
// binary serves Open MPI, MPICH and what has its ABI (Intel MPI, MVAPICH, Cray), and the ABI of MPI
// 5. It needs the build tag mpi and a Unix; without the tag only Launched is here.
//
// # One thread
//
// One locked thread makes all calls of MPI (MPI_THREAD_FUNNELED); the methods give it work. MPI
// adds nothing: see Summer of package collective.
//
// # Who has not come
//
// MPI waits without end and without a name. Therefore each call begins with an arrival: every rank
// sends a few bytes to rank 0, which sends a word back when all have come. Rank 0 so knows who is
// missing when the time is over, and whoever has ended meanwhile says in the same bytes why. The
// parts follow as messages of their own, so whose are missing is known there, too; a watchdog is
// for a call of MPI that does not return. Beside MPI a TCP connection leads from every rank to rank
// 0, which breaks when a process ends.
package mpi
