package fielderr_test

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"testing"

	"resnet/internal/fielderr"
)

func TestTheTextSaysWhereWhatAndWhatWouldBeRight(t *testing.T) {
	for want, e := range map[string]fielderr.Error{
		"train.batch: 0 is below 1 (the paper trains with 128)": {"train", "batch", "0 is below 1", "the paper trains with 128"},
		"data.dir: a pack needs one":                            {"data", "dir", "a pack needs one", ""},
		"model: names no architecture":                          {Section: "model", Msg: "names no architecture"},
	} {
		if got := e.Error(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		if !errors.Is(fmt.Errorf("runs/x: %w", e), fielderr.ErrConfig) || errors.Is(e, fs.ErrNotExist) {
			t.Errorf("%v is no ErrConfig, or is anything", e)
		}
	}
}

func TestSplitFindsWhatWasJoinedAndWrapped(t *testing.T) {
	l := fielderr.List{Section: "train"}
	l.Add("batch", "", "%d is below %d", 0, 1)
	l.Add("epochs", "set iterations or epochs", "0")
	other := fielderr.Error{Section: "data", Path: "dir"}
	missing := fmt.Errorf("photos: %w", fs.ErrNotExist)
	for name, c := range map[string]struct {
		err    error
		fields []fielderr.Error
		others []error
	}{
		"none":              {nil, nil, nil},
		"one":               {other, []fielderr.Error{other}, nil},
		"several":           {fielderr.Join(l.Errors), l.Errors, nil},
		"wrapped":           {fmt.Errorf("runs/x: %w", fielderr.Join(l.Errors)), l.Errors, nil},
		"of two sections":   {errors.Join(fielderr.Join(l.Errors), other), append(slices.Clone(l.Errors), other), nil},
		"with another":      {errors.Join(other, missing), []fielderr.Error{other}, []error{missing}},
		"another alone":     {missing, nil, []error{missing}},
		"others in a class": {errors.Join(fs.ErrInvalid, missing), nil, []error{errors.Join(fs.ErrInvalid, missing)}},
	} {
		fields, others := fielderr.Split(c.err)
		if !slices.Equal(fields, c.fields) || fmt.Sprint(others) != fmt.Sprint(c.others) {
			t.Errorf("%s: %v and %v, want %v and %v", name, fields, others, c.fields, c.others)
		}
	}
	if fielderr.Join(nil) != nil {
		t.Error("an error of none")
	}
}
