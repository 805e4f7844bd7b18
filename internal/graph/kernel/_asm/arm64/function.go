package main

import (
	"fmt"
	"math"
	"strings"
)

// reg is a register that is yet to get its number.
type reg struct {
	vec bool
	n   int // the number, -1 until it is known
	id  int // within its function
}

// step is an instruction of a function, or a label where it has one.
type step struct {
	defs, uses []*reg
	from       *reg   // of a copy, the source: both may get one number
	label      string // the step is this label
	target     string // where it branches to
	ends       bool   // nothing follows
	word       func() inst
	plain      func() (ours, gnu string) // an instruction that Go's assembler has
}

// idle reports whether the step is a copy of a register to itself.
func (s step) idle() bool { return s.from != nil && s.from.n == s.defs[0].n }

// function is one kernel on its way to text.
type function struct {
	name, doc string
	steps     []step
	regs      []*reg
	a         *reg // points to the argument struct
}

// begin starts a kernel, which reads its argument struct.
func begin(base, arg, doc string) *function {
	f := &function{name: base + "NEON"}
	f.doc = f.name + " " + doc + " a points to a " + arg + "."
	f.a = f.gp()
	f.go1(func() (string, string) { return fmt.Sprintf("MOVD a+0(FP), R%d", f.a.n), "" }, f.a)
	return f
}

func (f *function) register(vec bool) *reg {
	r := &reg{vec: vec, n: -1, id: len(f.regs)}
	f.regs = append(f.regs, r)
	return r
}

func (f *function) vec() *reg { return f.register(true) }

func (f *function) gp() *reg { return f.register(false) }

// vecs are n new registers.
func (f *function) vecs(n int) []*reg {
	out := make([]*reg, n)
	for i := range out {
		out[i] = f.vec()
	}
	return out
}

// grid is n rows of m new registers.
func (f *function) grid(n, m int) [][]*reg {
	out := make([][]*reg, n)
	for i := range out {
		out[i] = f.vecs(m)
	}
	return out
}

// emit adds a vector instruction that writes d, if that is one, and reads uses.
func (f *function) emit(d *reg, word func() inst, uses ...*reg) {
	s := step{word: word, uses: uses}
	if d != nil {
		s.defs = []*reg{d}
	}
	f.steps = append(f.steps, s)
}

// go1 adds an instruction of Go's assembler that writes d, if that is one.
func (f *function) go1(text func() (ours, gnu string), d *reg, uses ...*reg) {
	s := step{plain: text, uses: uses}
	if d != nil {
		s.defs = []*reg{d}
	}
	f.steps = append(f.steps, s)
}

// The vector instructions. What a multiplication adds to is read and written.

func (f *function) zero(d *reg) { f.emit(d, func() inst { return zero(d.n) }) }

func (f *function) zeros(d [][]*reg) {
	for _, row := range d {
		for _, v := range row {
			f.zero(v)
		}
	}
}

// copyTo copies n to d.
func (f *function) copyTo(d, n *reg) {
	f.steps = append(f.steps, step{word: func() inst { return move(d.n, n.n) }, defs: []*reg{d}, uses: []*reg{n}, from: n})
}

// op is d = n op m.
func (f *function) op(i func(d, n, m int) inst, d, n, m *reg) {
	f.emit(d, func() inst { return i(d.n, n.n, m.n) }, n, m)
}

// into is an instruction of three registers that reads d, too.
func (f *function) into(i func(d, n, m int) inst, d, n, m *reg) {
	f.emit(d, func() inst { return i(d.n, n.n, m.n) }, d, n, m)
}

func (f *function) op1(i func(d, n int) inst, d, n *reg) {
	f.emit(d, func() inst { return i(d.n, n.n) }, n)
}

// lane is d = n op one lane of m; intoLane reads d, too.
func (f *function) lane(i func(d, n, m, lane int) inst, d, n, m *reg, lane int) {
	f.emit(d, func() inst { return i(d.n, n.n, m.n, lane) }, n, m)
}

func (f *function) intoLane(i func(d, n, m, lane int) inst, d, n, m *reg, lane int) {
	f.emit(d, func() inst { return i(d.n, n.n, m.n, lane) }, d, n, m)
}

func (f *function) ext(d, n, m *reg, from int) {
	f.emit(d, func() inst { return ext(d.n, n.n, m.n, from) }, n, m)
}

func (f *function) load(s size, d, p *reg, disp int) {
	f.emit(d, func() inst { return load(s, d.n, p.n, disp) }, p)
}

func (f *function) indexed(s size, d, p, index *reg) {
	f.emit(d, func() inst { return indexed(s, d.n, p.n, index.n) }, p, index)
}

func (f *function) store(s size, v, p *reg, disp int) {
	f.emit(nil, func() inst { return store(s, v.n, p.n, disp) }, v, p)
}

func (f *function) loadPair(d, e, p *reg, disp int) {
	f.emit(d, func() inst { return loadPair(d.n, e.n, p.n, disp) }, p)
	f.steps[len(f.steps)-1].defs = []*reg{d, e}
}

func (f *function) storePair(d, e, p *reg, disp int) {
	f.emit(nil, func() inst { return storePair(d.n, e.n, p.n, disp) }, d, e, p)
}

// loads and stores move an even number of registers, 16 bytes each, to or from consecutive places.
func (f *function) loads(v []*reg, p *reg, disp int) {
	for i := 0; i < len(v); i += 2 {
		f.loadPair(v[i], v[i+1], p, disp+16*i)
	}
}

func (f *function) stores(v []*reg, p *reg, disp int) {
	for i := 0; i < len(v); i += 2 {
		f.storePair(v[i], v[i+1], p, disp+16*i)
	}
}

// spread loads one float of memory into all lanes.
func (f *function) spread(d, p *reg, disp int) {
	at := f.gp()
	f.lea(at, p, disp)
	f.emit(d, func() inst { return spreadLoad(d.n, at.n) }, at)
}

// constants puts up to four numbers into the lanes of one register.
func (f *function) constants(values []float32) *reg {
	d, x := f.vec(), f.gp()
	f.zero(d)
	for lane, v := range values {
		f.number(x, int(math.Float32bits(v)))
		f.emit(d, func() inst { return insert(d.n, lane, x.n) }, d, x)
	}
	return d
}

// The instructions that Go's assembler has. Operands stand in the order of GNU's assembler.

func (f *function) mov(d, n *reg) {
	f.go1(func() (string, string) {
		return fmt.Sprintf("MOVD R%d, R%d", n.n, d.n), fmt.Sprintf("mov x%d, x%d", d.n, n.n)
	}, d, n)
	f.steps[len(f.steps)-1].from = n
}

func (f *function) copyOf(n *reg) *reg {
	d := f.gp()
	f.mov(d, n)
	return d
}

// wordAt loads 8 bytes, disp bytes after p.
func (f *function) wordAt(d, p *reg, disp int) {
	f.go1(func() (string, string) {
		return fmt.Sprintf("MOVD %d(R%d), R%d", disp, p.n, d.n), fmt.Sprintf("ldr x%d, %s", d.n, at(p.n, disp))
	}, d, p)
}

// field loads an 8-byte field of the argument struct.
func (f *function) field(off int) *reg {
	d := f.gp()
	f.wordAt(d, f.a, off)
	return d
}

func (f *function) shiftLeft(d, n *reg, by int) {
	f.go1(func() (string, string) {
		return fmt.Sprintf("LSL $%d, R%d, R%d", by, n.n, d.n), fmt.Sprintf("lsl x%d, x%d, #%d", d.n, n.n, by)
	}, d, n)
}

func (f *function) shiftRight(d, n *reg, by int) {
	f.go1(func() (string, string) {
		return fmt.Sprintf("LSR $%d, R%d, R%d", by, n.n, d.n), fmt.Sprintf("lsr x%d, x%d, #%d", d.n, n.n, by)
	}, d, n)
}

// stride loads a field counted in float32 values and turns it into bytes.
func (f *function) stride(off int) *reg { return f.strideOf(wide, off) }

// lea is d = n + a constant.
func (f *function) lea(d, n *reg, c int) {
	f.go1(func() (string, string) {
		return fmt.Sprintf("ADD $%d, R%d, R%d", c, n.n, d.n), fmt.Sprintf("add x%d, x%d, #%d", d.n, n.n, c)
	}, d, n)
}

// next adds a constant to a pointer.
func (f *function) next(p *reg, c int) { f.lea(p, p, c) }

// add is d = n + m.
func (f *function) add(d, n, m *reg) {
	f.go1(func() (string, string) {
		return fmt.Sprintf("ADD R%d, R%d, R%d", m.n, n.n, d.n), fmt.Sprintf("add x%d, x%d, x%d", d.n, n.n, m.n)
	}, d, n, m)
}

// addFloats is d = n + the bytes of m float32 values.
func (f *function) addFloats(d, n, m *reg) {
	f.go1(func() (string, string) {
		return fmt.Sprintf("ADD R%d<<2, R%d, R%d", m.n, n.n, d.n), fmt.Sprintf("add x%d, x%d, x%d, lsl #2", d.n, n.n, m.n)
	}, d, n, m)
}

// advance adds a field counted in float32 values to a pointer.
func (f *function) advance(off int, p *reg) { f.addFloats(p, p, f.field(off)) }

// align rounds down to a multiple of a power of two.
func (f *function) align(d *reg, to int) {
	f.go1(func() (string, string) {
		return fmt.Sprintf("AND $-%d, R%d, R%d", to, d.n, d.n), fmt.Sprintf("and x%d, x%d, #-%d", d.n, d.n, to)
	}, d, d)
}

func (f *function) number(d *reg, v int) {
	f.go1(func() (string, string) {
		return fmt.Sprintf("MOVD $%d, R%d", v, d.n), fmt.Sprintf("mov x%d, #%d", d.n, v)
	}, d)
}

// subs subtracts a constant and sets the flags.
func (f *function) subs(d *reg, c int) {
	f.go1(func() (string, string) {
		return fmt.Sprintf("SUBS $%d, R%d, R%d", c, d.n, d.n), fmt.Sprintf("subs x%d, x%d, #%d", d.n, d.n, c)
	}, d, d)
}

func (f *function) label(name string) { f.steps = append(f.steps, step{label: name}) }

// branch goes to a label on a condition of the flags: ge, lt, gt, eq, ne.
func (f *function) branch(condition, label string) {
	f.go1(func() (string, string) {
		return fmt.Sprintf("B%s %s", strings.ToUpper(condition), label), fmt.Sprintf("b.%s %s", condition, label)
	}, nil)
	f.steps[len(f.steps)-1].target = label
}

// ifZero goes to a label where a register is zero.
func (f *function) ifZero(r *reg, label string) {
	f.go1(func() (string, string) {
		return fmt.Sprintf("CBZ R%d, %s", r.n, label), fmt.Sprintf("cbz x%d, %s", r.n, label)
	}, nil, r)
	f.steps[len(f.steps)-1].target = label
}

// times ends a loop that began at a label and counts r down.
func (f *function) times(r *reg, label string) {
	f.subs(r, 1)
	f.branch("ne", label)
}

// tap makes a pointer to the next tap's place in x; taps goes on.
func (f *function) tap(taps, x *reg) *reg {
	p := f.gp()
	f.wordAt(p, taps, 0)
	f.addFloats(p, x, p)
	f.next(taps, 8)
	return p
}

// end returns.
func (f *function) end() {
	f.go1(func() (string, string) { return "RET", "ret" }, nil)
	f.steps[len(f.steps)-1].ends = true
	kernels = append(kernels, f)
}

// kernels are the finished functions.
var kernels []*function

// text is the function for Go's assembler.
func (f *function) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n// func %s(a *byte)\nTEXT ·%s(SB), NOSPLIT, $0-8\n", f.name, f.name)
	for _, s := range f.steps {
		switch {
		case s.label != "":
			fmt.Fprintf(&b, "\n%s:\n", s.label)
		case s.idle():
		case s.word != nil:
			i := s.word()
			fmt.Fprintf(&b, "\tWORD $0x%08x // %s\n", i.word, i.text)
		default:
			ours, _ := s.plain()
			fmt.Fprintf(&b, "\t%s\n", ours)
		}
	}
	return b.String()
}

// loop is the innermost loop at a label for GNU's assembler: from the label to the last branch to
// it.
func (f *function) loop(label string) string {
	var b strings.Builder
	inside, out := false, ""
	for _, s := range f.steps {
		if s.label == label {
			inside = true
		}
		if !inside {
			continue
		}
		switch {
		case s.label != "":
			fmt.Fprintf(&b, "%s:\n", s.label)
		case s.idle():
		case s.word != nil:
			fmt.Fprintf(&b, "\t%s\n", s.word().text)
		default:
			_, gnu := s.plain()
			fmt.Fprintf(&b, "\t%s\n", gnu)
		}
		if s.target == label {
			out = b.String()
		}
	}
	return out
}
