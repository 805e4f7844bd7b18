package graph

import "reflect"

// perImage is embedded in an operator whose images do not depend on each other, so that parts of a
// batch can be computed in any order: see Images.
type perImage struct{}

func (perImage) imagesAreIndependent() {}

// PerImage is an operator for Images.
type PerImage interface {
	Operator
	imagesAreIndependent()
}

// Images is the operator on n images, of which the first is image `first` of the batch: Run32 then
// takes and gives those alone.
func Images(op PerImage, first, n int) Operator {
	part := reflect.New(reflect.TypeOf(op).Elem())
	fields := part.Elem()
	fields.Set(reflect.ValueOf(op).Elem())
	if images := fields.FieldByName("N"); images.IsValid() { // one that takes any shape has none
		images.SetInt(int64(n))
	}
	if state := fields.FieldByName("State"); state.IsValid() {
		s := state.Interface().(*Sequences)
		state.Set(reflect.ValueOf(&Sequences{s.Lengths[first : first+n]}))
	}
	return part.Interface().(Operator)
}
