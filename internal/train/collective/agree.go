package collective

import (
	"encoding/json"
	"fmt"
)

// Place is where a rank is, for messages.
type Place struct {
	Rank int    `json:"rank"`
	Size int    `json:"size"`
	Host string `json:"host"`
}

// String is "rank 2 of 4 on node7".
func (p Place) String() string { return fmt.Sprintf("rank %d of %d on %s", p.Rank, p.Size, p.Host) }

// RankError is an error that all ranks know: one of them met it.
type RankError struct {
	Place Place
	Text  string
	// Code is the exit status that the rank gives it.
	Code int
	// Err is the error itself on the rank that met it, and nil on the others.
	Err error `json:"-"`
}

// Error names the rank.
func (e *RankError) Error() string { return e.Place.String() + ": " + e.Text }

// Unwrap is the error on the rank that met it.
func (e *RankError) Unwrap() error { return e.Err }

// Agree tells all ranks of an error of any of them: all return that of the lowest rank that has
// one, or nil. An error that all have in common is returned as it is. code gives an error's exit
// status. The group's own errors come back as they are.
func Agree(g Group, at Place, code func(error) int, err error) error {
	if g.Size() == 1 {
		return err
	}
	var own []byte
	if err != nil {
		e := RankError{Place: at, Text: err.Error()}
		if code != nil {
			e.Code = code(err)
		}
		own, _ = json.Marshal(e) // of strings and numbers
	}
	all, failed := Gather(g, own)
	if failed != nil {
		return failed
	}
	if err != nil && told(all) {
		return err // of all: no rank is to blame
	}
	for rank, b := range all {
		if len(b) == 0 {
			continue
		}
		e := &RankError{}
		if json.Unmarshal(b, e) != nil {
			e = &RankError{Place: Place{Rank: rank, Size: g.Size()}, Text: "an error that does not read"}
		}
		if rank == g.Rank() {
			e.Err = err
		}
		return e
	}
	return nil
}

// told reports whether all ranks have told the same error.
func told(all [][]byte) bool {
	var first string
	for i, b := range all {
		var e RankError
		if json.Unmarshal(b, &e) != nil {
			return false
		}
		if i == 0 {
			first = e.Text
		}
		if e.Text != first {
			return false
		}
	}
	return true
}
