package kernel

import (
	"fmt"
	"reflect"
	"testing"
)

// kernelsIn calls f with the address of each kernel's code in a table, and where it is.
func kernelsIn(v reflect.Value, where string, f func(where string, code uintptr)) {
	switch v.Kind() {
	case reflect.Func:
		if !v.IsNil() {
			f(where, v.Pointer())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			kernelsIn(v.Field(i), where+"."+v.Type().Field(i).Name, f)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			kernelsIn(v.Index(i), fmt.Sprintf("%s[%d]", where, i), f)
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			kernelsIn(v.MapIndex(k), fmt.Sprintf("%s[%v]", where, k), f)
		}
	}
}

// An instruction set has a kernel for everything that plain Go has, and none of plain Go's own.
func TestNoInstructionSetFallsBackToPlainGo(t *testing.T) {
	plain, fields := map[uintptr]bool{}, reflect.TypeFor[implementation]().NumField()
	kernelsIn(reflect.ValueOf(*generic), "generic", func(_ string, code uintptr) { plain[code] = true })
	if len(plain) < 15 {
		t.Fatalf("%d kernels of plain Go were found", len(plain))
	}
	for _, im := range available {
		if im == generic {
			continue
		}
		table := reflect.ValueOf(*im)
		kernelsIn(table, im.name, func(where string, code uintptr) {
			if plain[code] {
				t.Errorf("%s is plain Go's", where)
			}
		})
		for i := range fields {
			if f := table.Field(i); f.Kind() == reflect.Array && f.Type().Elem().Kind() == reflect.Bool {
				continue // what is true of the kernels
			}
			if table.Field(i).IsZero() {
				t.Errorf("%s has no %s", im.name, table.Type().Field(i).Name)
			}
		}
	}
}
