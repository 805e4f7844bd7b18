package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"resnet/internal/text"
	"resnet/internal/train"
	"resnet/internal/train/collective"
	"resnet/internal/train/collective/mpi"
)

// rankGroup is a group of processes: *mpi.Group.
type rankGroup interface {
	collective.Group
	Host() string
	Hosts() []string
	Library() string
	SetTimeout(time.Duration)
	// Leaving says that this process was asked to end.
	Leaving()
	// Close ends the group with this rank's exit status and error, and returns the status of all
	// and, on rank 0, the errors that it does not know.
	Close(code int, text string) (status int, others []string)
}

// rankedCommands are those that processes share.
var rankedCommands = []string{"resnet train", "resnet bench allreduce"}

// anywhere are commands of which any number may run side by side.
var anywhere = []string{"resnet version", "resnet doctor", "resnet help"}

// enterRanks joins the other processes where a launcher has started several. It refuses what would
// do the same work several times in the same folder.
func (a *app) enterRanks(c *cobra.Command) error {
	l := mpi.Launched(a.getenv)
	if l.Size == 1 || slices.Contains(anywhere, c.CommandPath()) || strings.HasPrefix(c.CommandPath(), "resnet completion") {
		return nil
	}
	fail := func(err error) error { // one process says it for all
		if l.Rank > 0 {
			time.Sleep(500 * time.Millisecond) // or a launcher ends that one before it has
			return &silentError{err}
		}
		return err
	}
	if !slices.Contains(rankedCommands, c.CommandPath()) {
		return fail(usageErrorf("%s: the launcher (%s) has started %d processes, which would all do the same: start it without the launcher; processes share `resnet-mpi train` and `bench allreduce`", c.CommandPath(), l.By, l.Size))
	}
	g, err := joinRanks(a, l)
	if err != nil {
		return fail(usageErrorf("%s: %w", c.CommandPath(), err))
	}
	a.group = g
	if g.Rank() > 0 { // rank 0 prints
		a.rankErr = a.err
		a.out, a.err, a.errTTY, a.outTTY = io.Discard, io.Discard, false, false
		c.Root().SetOut(io.Discard)
		c.Root().SetErr(io.Discard)
	}
	return nil
}

// ranks are what the training loop is given of the group.
func (a *app) ranks() train.Ranks {
	if a.group == nil {
		return train.Ranks{}
	}
	return train.Ranks{Group: a.group, Host: a.group.Host(), Code: exitStatus}
}

// describeRanks says where the ranks are.
func (a *app) describeRanks() string {
	var at []string
	hosts := a.group.Hosts()
	for first := 0; first < len(hosts); {
		last := first
		for last+1 < len(hosts) && hosts[last+1] == hosts[first] {
			last++
		}
		ranks := fmt.Sprintf("rank %d", first)
		if last > first {
			ranks = fmt.Sprintf("ranks %d to %d", first, last)
		}
		at = append(at, ranks+" on "+text.Printable(hosts[first]))
		first = last + 1
	}
	return fmt.Sprintf("%s (%s)", strings.Join(at, ", "), a.group.Library())
}

// firstRank reports whether this process is the only one, or rank 0.
func (a *app) firstRank() bool { return a.group == nil || a.group.Rank() == 0 }

// agree makes an error of one rank that of all.
func (a *app) agree(err error) error { return a.ranks().Agree(err) }

// closeRanks ends the group with an error, which is printed on rank 0, and returns the exit status.
func (a *app) closeRanks(status int, said string) int {
	status, others := a.group.Close(status, said)
	for _, line := range others {
		a.say("%s", text.PrintableLines(line))
	}
	return status
}

// rankStatus is the exit status of an error that another rank has met; false of any other error.
func rankStatus(err error) (int, bool) {
	var e *collective.RankError
	if errors.As(err, &e) && e.Err == nil && e.Code != 0 {
		return e.Code, true
	}
	return 0, false
}
