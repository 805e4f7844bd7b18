package weights

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"resnet/internal/graph"
)

// ErrMismatch marks tensors that do not fit the model.
var ErrMismatch = errors.New("the tensors do not fit the model")

// MismatchError lists every way in which a file does not fit a ParamSet. It is an ErrMismatch.
type MismatchError struct {
	File       string
	Missing    []string // in the model, not in the file
	Unexpected []string // in the file, not in the model
	// Different are in both, with another shape or type: "fc.weight [10 64], want [100 64]".
	Different []string
}

// Error names the first ten of each list and counts the rest.
func (e *MismatchError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %v", e.File, ErrMismatch)
	for _, part := range []struct {
		title string
		list  []string
	}{{"missing", e.Missing}, {"unexpected", e.Unexpected}, {"different", e.Different}} {
		if len(part.list) == 0 {
			continue
		}
		const most = 10
		fmt.Fprintf(&b, "; %d %s: %s", len(part.list), part.title, strings.Join(part.list[:min(most, len(part.list))], ", "))
		if len(part.list) > most {
			fmt.Fprintf(&b, ", and %d more", len(part.list)-most)
		}
	}
	return b.String()
}

// Is makes the error an ErrMismatch.
func (e *MismatchError) Is(target error) bool { return target == ErrMismatch }

// FromParams returns the parameters and running statistics of a model as tensors, in the order of
// the set. The tensors share the set's memory.
func FromParams(set *graph.ParamSet) []Tensor {
	all := set.All()
	list := make([]Tensor, len(all))
	for i, p := range all {
		list[i] = Tensor{Name: p.Name, Shape: p.Shape, Data: p.Data}
	}
	return list
}

// LoadParams fills every parameter and running statistic of the set from the file, converting
// floating-point types to float32. Prefixes that PyTorch's wrappers put before names (module.,
// _orig_mod.) are removed, and num_batches_tracked is ignored. Unless names and shapes agree in
// full it changes nothing and fails with a *MismatchError.
func LoadParams(f *File, set *graph.ParamSet) error { return LoadSome(f, set.All()) }

// LoadSome is LoadParams for some parameters of a set, which have to be all that the file has.
func LoadSome(f *File, params []*graph.Param) error {
	tensors := make([]Tensor, len(f.entries))
	for i, e := range f.entries {
		tensors[i] = Tensor{Name: e.Name, DType: e.DType, Shape: e.Shape}
	}
	source, err := match(f.name, tensors, params)
	if err != nil {
		return err
	}
	for _, p := range params {
		if err := f.Float32Into(tensors[source[p.Name]].Name, p.Data); err != nil {
			return err
		}
	}
	return nil
}

// LoadTensors is LoadParams from tensors in memory, as ReadForeign gives them; file stands in
// errors.
func LoadTensors(file string, tensors []Tensor, set *graph.ParamSet) error {
	source, err := match(file, tensors, set.All())
	if err != nil {
		return err
	}
	for _, p := range set.All() {
		copy(p.Data, tensors[source[p.Name]].Data)
	}
	return nil
}

// match finds the tensor of each parameter, by plain names, or says with a *MismatchError how they
// differ.
func match(file string, tensors []Tensor, params []*graph.Param) (map[string]int, error) {
	source := make(map[string]int, len(tensors)) // by plain name
	wanted := make(map[string]bool, len(params))
	for _, p := range params {
		wanted[p.Name] = true
	}
	wrong := &MismatchError{File: file}
	for i, t := range tensors {
		name := plainName(t.Name)
		if before, ok := source[name]; ok {
			return nil, fmt.Errorf("%s: %w: %q and %q are both %q", file, ErrMismatch, tensors[before].Name, t.Name, name)
		}
		source[name] = i
		if !wanted[name] && !IsCounter(name) {
			wrong.Unexpected = append(wrong.Unexpected, name)
		}
	}
	for _, p := range params {
		i, ok := source[p.Name]
		switch {
		case !ok:
			wrong.Missing = append(wrong.Missing, p.Name)
		case !slices.Equal(tensors[i].Shape, p.Shape):
			wrong.Different = append(wrong.Different, fmt.Sprintf("%s %v, want %v", p.Name, tensors[i].Shape, p.Shape))
		case !tensors[i].DType.Float():
			wrong.Different = append(wrong.Different, fmt.Sprintf("%s %s, want floating point", p.Name, tensors[i].DType))
		}
	}
	if len(wrong.Missing)+len(wrong.Unexpected)+len(wrong.Different) > 0 {
		return nil, wrong
	}
	return source, nil
}

// IsCounter reports whether a tensor counts batches, which nothing here needs: num_batches_tracked,
// n_averaged.
func IsCounter(name string) bool {
	last := name[strings.LastIndexByte(name, '.')+1:]
	return last == "num_batches_tracked" || last == "n_averaged"
}

// IsMeasure reports whether a tensor is what a program that counts operations has left in a
// network: THOP's total_ops and total_params.
func IsMeasure(name string) bool {
	last := name[strings.LastIndexByte(name, '.')+1:]
	return last == "total_ops" || last == "total_params"
}

// plainName removes the prefixes of DataParallel and torch.compile, in any order and number.
func plainName(name string) string {
	for {
		rest, ok := strings.CutPrefix(name, "module.")
		if !ok {
			rest, ok = strings.CutPrefix(name, "_orig_mod.")
		}
		if !ok {
			return name
		}
		name = rest
	}
}
