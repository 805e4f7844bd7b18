package graphtest

import (
	"reflect"
	"testing"

	"resnet/internal/graph"
)

// CheckHash changes each exported field of the operator in turn, those of its geometry and its ID
// too, and proves that the hash changes with it. Fields that are pointers are shared state and do
// not count; fields that are not exported hold nothing.
func CheckHash(t *testing.T, op graph.Operator) {
	t.Helper()
	original := reflect.ValueOf(op).Elem()
	name := graph.AsOp(op)
	fields := 0
	for _, f := range reflect.VisibleFields(original.Type()) {
		if !f.IsExported() && f.Type.Size() > 0 {
			t.Errorf("%v: the field %s is not exported, so that the hash does not see it", name, f.Name)
		}
		if !f.IsExported() || f.Anonymous || f.Type.Kind() == reflect.Pointer {
			continue
		}
		fields++
		other := reflect.New(original.Type())
		other.Elem().Set(original)
		change(t, other.Elem().FieldByIndex(f.Index))
		if graph.AsOp(other.Interface().(graph.Operator)).Hashcode() == name.Hashcode() {
			t.Errorf("%v: the hash does not depend on %s", name, f.Name)
		}
	}
	if id := original.FieldByName("ID"); fields == 0 || !id.IsValid() {
		t.Errorf("%v: an operator needs an exported ID", name)
	}
}

func change(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.Int:
		v.SetInt(v.Int() + 1)
	case reflect.Uint8, reflect.Uint32, reflect.Uint64:
		v.SetUint(v.Uint() + 1)
	case reflect.Float64:
		v.SetFloat(v.Float() + 1e-9)
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Array:
		change(t, v.Index(0))
	case reflect.Slice:
		s := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(s, v)
		change(t, s.Index(0))
		v.Set(s)
	default:
		t.Fatalf("a field of kind %v: teach change about it", v.Kind())
	}
}
