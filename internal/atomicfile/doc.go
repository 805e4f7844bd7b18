// Package atomicfile writes files that are complete or absent. Every file that a user keeps is
// written by it: checkpoints, tables, reports, predictions, archives, configurations.
//
//	f, err := atomicfile.Create(atomicfile.OS, path, "report") // .NAME.tmp-report-HOST-PID-RANDOM
//	defer f.Discard()   // removes it unless Commit came first
//	f.Write(…)
//	f.Commit()          // flush, sync, close, rename, sync of the folder
//
// Until Commit renames it the old file is what readers see, also after a crash or a power failure.
// When Commit returns nil the new one is durable. After an error the old file is as it was, or,
// when only the sync of the folder failed, the new one is there whole. No temporary file stays
// behind an error; one that cannot be removed is named in it.
//
// # Links
//
// A symbolic link as output is followed, also through several links: the link stays, and the file
// that it leads to is replaced, by a temporary file in that file's own folder. A link that leads to
// nothing makes the file that it names; the folder has to be there. What is there and is not a
// regular file (a folder, a pipe, a device) is refused, because the rename would replace it. A file
// with other hard links is replaced under this name alone.
//
// # Permissions
//
// A new file has 0644 and what the umask leaves of it, whatever the old one had.
//
// # Temporary names
//
// The name says what kind of writer made the file and which process on which machine. The process
// holds a lock on it until it has its own name, so that the next Create of the same file and kind
// removes what a dead one has left, and never what a living one writes. Where the file system has
// no locks the number of the process tells, on its own machine; what another machine has left goes
// when nobody has written to it for a day.
//
// Sweep removes all of a kind from a folder. Only who knows that no other process writes there may
// sweep: a Store holds the lock of its folder.
//
// # Errors
//
// Every error is an ErrIO and names the path as the caller gave it, without the temporary name.
// fs.ErrExist, syscall.ENOSPC and the like are found in it by errors.Is.
//
// # Faults
//
// Everything goes through an FS, so that package atomicfiletest can fail, cut or kill any
// operation.
// A writer takes the FS as an argument and has a test that calls atomicfiletest.Run.
package atomicfile
