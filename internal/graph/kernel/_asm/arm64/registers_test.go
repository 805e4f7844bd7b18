package main

import (
	"strings"
	"testing"
)

// finished gives the registers of a kernel their numbers.
func finished(f *function) *function {
	f.end()
	kernels = kernels[:len(kernels)-1]
	f.assign()
	return f
}

// A register that a loop reads in its next round keeps its number, whatever is written in between.
func TestWhatALoopCarriesIsNotOverwritten(t *testing.T) {
	f := begin("test", "Test", "")
	n, sum := f.field(0), f.vec()
	f.zero(sum)
	f.label("loop")
	one := f.vec()
	f.load(sizeQ, one, f.a, 16)
	f.op(fadd, sum, sum, one)
	other := f.vec()
	f.load(sizeQ, other, f.a, 32)
	f.store(sizeQ, other, f.a, 48)
	f.times(n, "loop")
	finished(f)
	if sum.n == one.n || sum.n == other.n || n.n == f.a.n {
		t.Errorf("sum %d, one %d, other %d; counter %d, argument %d", sum.n, one.n, other.n, n.n, f.a.n)
	}
	if one.n != other.n {
		t.Errorf("%d and %d are never alive together", one.n, other.n)
	}
	want := "loop:\n\tldr q1, [x0, #16]\n\tfadd v0.4s, v0.4s, v1.4s\n\tldr q1, [x0, #32]\n\tstr q1, [x0, #48]\n\tsubs x1, x1, #1\n\tb.ne loop\n"
	if got := f.loop("loop"); got != want {
		t.Errorf("the loop is\n%s\nwant\n%s", got, want)
	}
}

// What is written and never read has a number of its own all the same.
func TestAnUnreadResultOverwritesNothing(t *testing.T) {
	f := begin("test", "Test", "")
	kept, unread := f.vec(), f.vec()
	f.zero(kept)
	f.zero(unread)
	f.store(sizeQ, kept, f.a, 0)
	finished(f)
	if kept.n == unread.n {
		t.Errorf("both are v%d", kept.n)
	}
}

func TestACopyOfWhatIsNotReadAgainIsNoInstruction(t *testing.T) {
	for _, again := range []bool{false, true} {
		f := begin("test", "Test", "")
		x, y := f.vec(), f.vec()
		f.zero(x)
		f.copyTo(y, x)
		f.op(fadd, y, y, y)
		f.store(sizeQ, y, f.a, 0)
		if again {
			f.store(sizeQ, x, f.a, 16)
		}
		if got := strings.Contains(finished(f).text(), "// mov "); got != again {
			t.Errorf("x read again: %v, a copy is made: %v", again, got)
		}
	}
}

func TestRegistersThatCannotBeAssignedPanic(t *testing.T) {
	for want, build := range map[string]func(f *function){
		"out of registers": func(f *function) {
			v := f.vecs(33)
			for _, r := range v {
				f.zero(r)
			}
			for _, r := range v {
				f.store(sizeQ, r, f.a, 0)
			}
		},
		"read before":   func(f *function) { f.store(sizeQ, f.vec(), f.a, 0) },
		"no label":      func(f *function) { f.branch("eq", "nowhere") },
		"label a twice": func(f *function) { f.label("a"); f.label("a") },
	} {
		func() {
			defer func() {
				if got, _ := recover().(string); !strings.Contains(got, want) {
					t.Errorf("%q, want %q", got, want)
				}
			}()
			f := begin("test", "Test", "")
			build(f)
			finished(f)
		}()
	}
}

// The system, the linker and Go keep some general registers.
func TestReservedRegistersAreNotUsed(t *testing.T) {
	for _, n := range available(false) {
		if n == 16 || n == 17 || n == 18 || n > 25 {
			t.Errorf("R%d is reserved", n)
		}
	}
	if n := len(available(true)); n != 32 {
		t.Errorf("%d vectors", n)
	}
}
