package labels

import (
	"strconv"
	"strings"

	"resnet/internal/datasets/fault"
	"resnet/internal/datasets/speech/kaldi"
)

// maxClasses bounds what a table can ask for.
const maxClasses = 1 << 20

// Table numbers the names of states or phones.
type Table struct {
	file  string
	class map[string]int32
	names []string // by class
}

// ReadTable reads lines NAME NUMBER, as in Kaldi's phones.txt, or lines NAME, which are counted
// from 0. Several names may have one number: then they are one class, named by the first.
func ReadTable(path string) (*Table, error) {
	t := &Table{file: path, class: map[string]int32{}}
	numbered := false
	err := kaldi.EachLine(path, func(_ int, name, rest string) error {
		n := len(t.class)
		if len(t.class) == 0 {
			numbered = rest != ""
		}
		if numbered {
			var err error
			if n, err = strconv.Atoi(rest); err != nil || n < 0 || n >= maxClasses {
				return fault.Dataf("%q: a line is a name and a number from 0 to %d, or in all lines a name alone", name+" "+rest, maxClasses-1)
			}
		} else if rest != "" {
			return fault.Dataf("%q: the lines before are names alone", name+" "+rest)
		}
		if _, twice := t.class[name]; twice {
			return fault.Dataf("the name %q comes twice", name)
		}
		t.class[name] = int32(n)
		for len(t.names) <= n {
			t.names = append(t.names, "")
		}
		if t.names[n] == "" {
			t.names[n] = name
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(t.names) == 0 {
		return nil, fault.Dataf("%s: no line", path)
	}
	for i, name := range t.names {
		if name == "" {
			t.names[i] = "#" + strconv.Itoa(i)
		}
	}
	return t, nil
}

// Names are those of the classes; of a number that no name has, # and the number.
func (t *Table) Names() []string { return t.names }

// find gives the class of a label; phone is the one that a state belongs to, or "". Without a table
// labels are numbers.
func (t *Table) find(label, phone string) (int32, error) {
	if t == nil {
		n, err := strconv.Atoi(label)
		if err != nil || n < 0 || n >= maxClasses {
			return 0, fault.Dataf("the label %q is no number of a class: number the labels in a file, a line NAME NUMBER each, and set speech.states to it", label)
		}
		return int32(n), nil
	}
	for _, name := range candidates(label, phone) {
		if n, ok := t.class[name]; ok {
			return n, nil
		}
	}
	if phone != "" {
		label += " of " + phone
	}
	return 0, fault.Dataf("the label %q is not in %s, which has %d names such as %q", label, t.file, len(t.class), t.names[0])
}

// candidates are the names under which a table may have a label. HTK writes the states of a model
// as s2, s3, … beside the phone, and phones in context as left-phone+right.
func candidates(label, phone string) []string {
	names := []string{label}
	if number, ok := strings.CutPrefix(label, "s"); ok && phone != "" && number != "" && strings.Trim(number, "0123456789") == "" {
		names = nil
		for _, p := range []string{phone, centre(phone)} {
			names = append(names, p+"_"+label, p+"["+number+"]", p+"."+label, p+"_"+number)
		}
		names = append(names, label, phone, centre(phone))
	}
	return append(names, centre(label))
}

// centre is the phone of a triphone.
func centre(name string) string {
	if _, after, ok := strings.Cut(name, "-"); ok {
		name = after
	}
	before, _, _ := strings.Cut(name, "+")
	return before
}
