package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var list = flag.String("list", "", "write the instructions whose encodings are compared to this file, for testdata/gnu.sh")

// instructions are every form with each register, lane, offset and size at its ends and in between.
func instructions() (all []inst) {
	numbers := [][4]int{{0, 0, 0, 0}, {31, 31, 31, 3}, {1, 2, 4, 1}, {8, 16, 1, 2}, {16, 1, 8, 0}, {2, 8, 16, 3}, {21, 10, 13, 2}}
	for _, f := range []func(d, n, m int) inst{fmla, fadd, fsub, fmul, fdiv, fmax, fcmeq, fcmgt, faddp, addInt, and, bic, orn, bit, zip1, zip2, uzp2} {
		for _, r := range numbers {
			all = append(all, f(r[0], r[1], r[2]))
		}
	}
	for _, f := range []func(d, n int) inst{fsqrt, fcmle, fcvtzs, scvtf, shl15, ushr31, shl23, rev64, move} {
		for _, r := range numbers {
			all = append(all, f(r[0], r[1]))
		}
	}
	for _, r := range numbers {
		for _, f := range []func(d, n, m, lane int) inst{fmlaLane, fmlsLane, fmulLane} {
			all = append(all, f(r[0], r[1], r[2], r[3]))
		}
		x, index := r[1]%31, r[2]%31 // 31 is the stack pointer or zero
		all = append(all, zero(r[0]), ext(r[0], r[1], r[2], 4*r[3]), insert(r[0], r[3], x), spreadLoad(r[0], x), duplicate(r[0], x))
		for _, s := range []size{sizeS, sizeD, sizeQ} {
			for _, n := range []int{0, 1, 2, 7, 1024, 4095} {
				all = append(all, load(s, r[0], x, n*s.bytes), store(s, r[0], x, n*s.bytes))
			}
			all = append(all, indexed(s, r[0], x, index))
		}
		for _, n := range []int{0, 1, 16, 63, -1, -64} {
			all = append(all, loadPair(r[0], (r[0]+r[3]+1)%32, x, n*16), storePair(r[0], r[2], x, n*16))
		}
	}
	return all
}

// TestEncodings compares with what GNU's assembler writes and its disassembler reads.
func TestEncodings(t *testing.T) {
	var b bytes.Buffer
	all := instructions()
	for _, i := range all {
		fmt.Fprintln(&b, i.text)
	}
	if *list != "" {
		if err := os.WriteFile(*list, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile("testdata/gnu.txt")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) != len(all) {
		t.Fatalf("%d instructions, GNU's are %d: run testdata/gnu.sh", len(all), len(lines))
	}
	for i, line := range lines {
		if got := fmt.Sprintf("%08x %s", all[i].word, all[i].text); got != line {
			t.Errorf("line %d: %s, GNU has %s", i+1, got, line)
		}
	}
}

func TestOffsetsOutOfReachPanic(t *testing.T) {
	for name, f := range map[string]func(){
		"not a multiple": func() { load(sizeQ, 0, 0, 8) }, "too far": func() { load(sizeS, 0, 0, 4*4096) }, "negative": func() { store(sizeD, 0, 0, -8) },
		"pair too far": func() { loadPair(0, 1, 0, 1024) }, "pair too far below": func() { storePair(0, 1, 0, -1040) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: it was encoded", name)
				}
			}()
			f()
		}()
	}
}
