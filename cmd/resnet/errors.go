package main

import (
	"errors"
	"io/fs"

	"resnet/internal/config"
	"resnet/internal/experiment"
	"resnet/internal/train"
)

// Exit statuses, as documented under EXIT STATUS in every help text. New ones may come.
const (
	exitOK         = 0
	exitFailed     = 1
	exitUsage      = 2
	exitBadData    = 65
	exitMissing    = 66
	exitNonFinite  = 70
	exitLocked     = 73
	exitIO         = 74
	exitInterrupt  = 130
	exitTerminated = 143
)

// usageErrorf is a mistake on the command line: exit status 2.
func usageErrorf(format string, args ...any) error { return config.Usagef(format, args...) }

// stoppedError ends a command that a signal stopped after it saved; what there is to say has been
// said.
type stoppedError struct{ status int }

func (e *stoppedError) Error() string { return "stopped by a signal" }

// silentError carries an exit status for a failure that the command has reported already.
type silentError struct{ err error }

func (e *silentError) Error() string { return e.err.Error() }
func (e *silentError) Unwrap() error { return e.err }

// exitStatus maps the sentinels of the packages to exit statuses.
func exitStatus(err error) int {
	if err == nil {
		return exitOK
	}
	if status, ok := rankStatus(err); ok {
		return status
	}
	var stopped *stoppedError
	if errors.As(err, &stopped) {
		return stopped.status
	}
	var usage *config.UsageError
	var problems *config.Error
	if errors.As(err, &usage) || errors.As(err, &problems) {
		return exitUsage
	}
	var missing *experiment.MissingError
	if errors.As(err, &missing) {
		return exitMissing
	}
	if errors.As(err, new(*train.IncompleteError)) { // whatever the cause
		return exitIO
	}
	var io *experiment.IOError
	// Before the sentinels: a folder that cannot be made because its parent is not there is no
	// missing input.
	if errors.As(err, &io) {
		return exitIO
	}
	for _, s := range sentinels {
		if errors.Is(err, s.err) {
			return s.status
		}
	}
	var path *fs.PathError
	if errors.As(err, &path) { // a full disk behind standard output
		return exitIO
	}
	return exitFailed
}

const exitHeading = "\n\nEXIT STATUS\n"

// exitHelp is the end of every help text; extra lines say what else a command may return.
func exitHelp(extra ...string) string {
	text := exitHeading + "   0  done\n   1  failed\n   2  mistake on the command line or in the configuration"
	for _, line := range extra {
		text += "\n  " + line
	}
	return text
}

// Lines of exitHelp.
const (
	help65  = "65  bad data"
	help66  = "66  missing input: a file or a data set that has not been fetched"
	help70  = "70  the loss is not finite; the last good checkpoint is kept"
	help73  = "73  another process is using the folder or writing the output"
	help74  = "74  reading or writing failed"
	help130 = helpStopped + ", after saving; by a second one, at once"

	helpStopped   = "130, 143  stopped by SIGINT or SIGTERM"
	helpUnwritten = helpStopped + "; nothing is written"
)
