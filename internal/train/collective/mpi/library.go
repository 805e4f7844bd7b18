//go:build mpi && (linux || darwin)

package mpi

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"unsafe"

	"github.com/ebitengine/purego"
)

// library is an MPI library that has been opened. Handles are of the width that its ABI gives them:
// addresses of Open MPI and MPI 5, numbers of MPICH, which travel in the low half of a register.
type library struct {
	path string
	handles

	initThread     func(argc, argv uintptr, required int32, provided *int32) int32
	finalize       func() int32
	commRank       func(comm uintptr, out *int32) int32
	commSize       func(comm uintptr, out *int32) int32
	setErrhandler  func(comm, handler uintptr) int32
	errorString    func(code int32, text *byte, n *int32) int32
	libraryVersion func(text *byte, n *int32) int32
	abort          func(comm uintptr, code int32) int32
	isend          func(buf unsafe.Pointer, n int32, dt uintptr, to, tag int32, comm uintptr, request unsafe.Pointer) int32
	irecv          func(buf unsafe.Pointer, n int32, dt uintptr, from, tag int32, comm uintptr, request unsafe.Pointer) int32
	test           func(request unsafe.Pointer, flag *int32, status unsafe.Pointer) int32
	// atExit runs what the C library's exit would, as Go's does not.
	atExit func(library uintptr)
}

// handles are the constants of one ABI.
type handles struct {
	world, byteType, errorsReturn uintptr
	funneled                      int32
}

// The constants of mpi.h of MPICH, which its ABI initiative fixes, and of the ABI of MPI 5.0.
var (
	mpichABI = handles{world: 0x44000000, byteType: 0x4c00010d, errorsReturn: 0x54000001, funneled: 1}
	mpi5ABI  = handles{world: 0x101, byteType: 0x247, errorsReturn: 0x143, funneled: 1024}
)

// LibraryVariable is the variable of the environment that names the library's file.
const LibraryVariable = "RESNET_MPI_LIB"

// candidates are the files to try, best first: the launcher of one library cannot connect the
// processes of another.
func candidates(getenv func(string) string, by string) []string {
	openMPI := []string{"libmpi.so.40", "libmpi.so.80", "libmpi.40.dylib", "libmpi.so", "libmpi.dylib"}
	mpich := []string{"libmpi_abi.so.1", "libmpi_abi.so.0", "libmpi.so.12", "libmpich.so.12", "libmpich.so", "libmpi.12.dylib", "libmpi.so"}
	switch {
	case getenv(LibraryVariable) != "":
		return []string{getenv(LibraryVariable)}
	case by == "Open MPI":
		return append(openMPI, "libmpi_abi.so.1")
	case by == "MPICH":
		return mpich
	}
	return append(openMPI, mpich...)
}

// open opens the first library that is there.
func open(getenv func(string) string, by string) (*library, error) {
	names := candidates(getenv, by)
	var errs []error
	for _, name := range names {
		h, err := purego.Dlopen(name, purego.RTLD_NOW|purego.RTLD_GLOBAL)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		l := &library{path: name}
		if err := l.bind(h); err != nil {
			return nil, fmt.Errorf("%s is no MPI library: %w", name, err)
		}
		return l, nil
	}
	if getenv(LibraryVariable) != "" {
		return nil, fmt.Errorf("%s=%s: %w", LibraryVariable, names[0], errors.Join(errs...))
	}
	return nil, fmt.Errorf("no MPI library is found (tried %s): install that of the launcher, or set %s to its file", strings.Join(names, ", "), LibraryVariable)
}

// bind finds out which ABI the library has, and its functions.
func (l *library) bind(h uintptr) error {
	data := func(name string) uintptr { p, _ := purego.Dlsym(h, name); return p }
	switch {
	case data("ompi_mpi_comm_world") != 0: // handles are the addresses of these
		l.handles = handles{world: data("ompi_mpi_comm_world"), byteType: data("ompi_mpi_byte"), errorsReturn: data("ompi_mpi_errors_return"), funneled: 1}
	case strings.HasPrefix(filepath.Base(l.path), "libmpi_abi"):
		l.handles = mpi5ABI
	default:
		l.handles = mpichABI
	}
	for name, f := range map[string]any{
		"MPI_Init_thread": &l.initThread, "MPI_Finalize": &l.finalize, "MPI_Comm_rank": &l.commRank, "MPI_Comm_size": &l.commSize,
		"MPI_Comm_set_errhandler": &l.setErrhandler, "MPI_Error_string": &l.errorString, "MPI_Get_library_version": &l.libraryVersion,
		"MPI_Abort": &l.abort, "MPI_Isend": &l.isend, "MPI_Irecv": &l.irecv, "MPI_Test": &l.test,
	} {
		p, err := purego.Dlsym(h, name)
		if err != nil {
			return err
		}
		purego.RegisterFunc(f, p)
	}
	p, err := purego.Dlsym(purego.RTLD_DEFAULT, "__cxa_finalize")
	if err != nil {
		return err
	}
	purego.RegisterFunc(&l.atExit, p)
	return nil
}

// leave ends MPI. MPICH 5 tells its launcher so where the process exits; without it the launcher
// takes the first rank that ends for one that has failed.
func (l *library) leave() {
	l.finalize()
	l.atExit(0) // of all libraries
}

// check turns a code of MPI into an error with the library's text.
func (l *library) check(what string, code int32) error {
	if code == 0 {
		return nil
	}
	text := make([]byte, 8192) // longer than any MPI_MAX_ERROR_STRING
	var n int32
	if l.errorString(code, &text[0], &n) != 0 || n <= 0 || int(n) > len(text) {
		return fmt.Errorf("%s: MPI error %d", what, code)
	}
	return fmt.Errorf("%s: %s", what, strings.TrimSpace(string(text[:n])))
}

// version is the first line of what the library says of itself.
func (l *library) version() string {
	text := make([]byte, 1<<16) // longer than any MPI_MAX_LIBRARY_VERSION_STRING
	var n int32
	if l.libraryVersion(&text[0], &n) != 0 || n <= 0 || int(n) > len(text) {
		return filepath.Base(l.path)
	}
	line, _, _ := strings.Cut(strings.TrimRight(string(text[:n]), "\x00"), "\n")
	line, _, _ = strings.Cut(line, ",")
	return strings.Join(strings.Fields(line), " ")
}
