package drawing

import (
	"fmt"
	"slices"
	"strings"

	"resnet/internal/blocks"
)

// kind is how a box looks.
type kind uint8

const (
	weighted kind = iota // convolutions, linear and recurrent layers
	plain                // poolings, normalisations and activations alone, changes of shape
	joint                // several inputs become one
)

// outside is the input of a box that reads what is not drawn: the network's input, or that of the
// block.
const outside = -1

// box is one layer, or several that follow each other.
type box struct {
	names    []string // of the layers
	kind     kind
	title    string   // "3×3 conv, 64, /2"
	after    []string // normalisation and activation that follow: "BN", "ReLU"
	inputs   []int    // boxes, or outside
	block    string   // "layer1.0", or "" outside of blocks
	out      []int    // as in blocks.Layer
	shortcut bool     // on the way past a block's layers, which is not the identity
	dotted   bool     // a shortcut that changes the shape, which the paper dots
	training bool
	tint     int // colour: the number of its column
	// repeat is how many equal blocks this one's stands for; 0 means one.
	repeat int
	// form is the layer without its number of channels, which kinds of blocks differ in; "" of a
	// normalisation or activation alone.
	form string
}

// followers are the layers that a box takes with it, and what they are called there.
var followers = map[string]string{
	"bn": "BN", "utterance-norm": "BN", "relu": "ReLU", "prelu": "PReLU", "elu": "ELU", "sigmoid": "sigmoid", "dropout": "dropout", "lrn": "LRN",
}

// boxesOf joins the layers of a network to boxes.
func boxesOf(m blocks.Summary) []box {
	readers := map[string]int{}
	modules := map[string]bool{}
	for _, l := range m.Layers {
		for _, from := range l.Inputs {
			readers[from]++
		}
		if name, ok := strings.CutSuffix(l.Name, ".concat"); ok {
			modules[name] = true
		}
	}
	at := map[string]int{"input": outside}
	var list []box
	for _, l := range m.Layers {
		block := blockOf(l, modules)
		word, follows := followers[l.Type]
		if l.Type == "dropout" {
			word += " " + l.Detail
		}
		if from := at[l.Inputs[0]]; follows && from != outside && readers[l.Inputs[0]] == 1 && list[from].kind != joint && list[from].block == block {
			b := &list[from]
			b.names, b.after, b.out = append(b.names, l.Name), append(b.after, word), l.Output
			at[l.Name] = from
			continue
		}
		b := box{names: []string{l.Name}, block: block, out: l.Output, training: l.Training}
		b.kind, b.title, b.form = describe(l)
		if follows {
			b.title, b.form = word, ""
		}
		b.shortcut = strings.Contains(l.Name, ".downsample") || l.Type == "shortcut-pad"
		if _, where, ok := strings.Cut(l.Detail, ", "); ok && l.Type == "shortcut-pad" {
			b.after = []string{where}
		}
		for _, from := range l.Inputs {
			b.inputs = append(b.inputs, at[from])
		}
		at[l.Name] = len(list)
		list = append(list, b)
	}
	for i := range list {
		list[i].dotted = enlarges(list, i)
	}
	for c, col := range columnsOf(list) {
		for _, i := range col.boxes {
			list[i].tint = c
		}
	}
	return list
}

// blockOf is what a layer is framed with: a block of a stage, a module of branches or an auxiliary
// classifier, or "".
func blockOf(l blocks.Layer, modules map[string]bool) string {
	first, _, _ := strings.Cut(l.Name, ".")
	switch block := l.Block(); {
	case block != "":
		return block
	case modules[first] || l.Training:
		return first
	}
	return ""
}

// describe is a layer in the words of the paper's figures: "3×3 conv, 64, /2". form is that without
// channels.
func describe(l blocks.Layer) (k kind, title, form string) {
	words, more, _ := strings.Cut(strings.ReplaceAll(l.Detail, "x", "×"), ", ")
	window, stride, _ := strings.Cut(words, " ")
	list := func(parts ...string) string {
		return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ", ")
	}
	switch l.Type {
	case "conv":
		return weighted, list(window+" conv", fmt.Sprint(l.Output[0]), more, stride), list(window+" conv", more, stride)
	case "maxpool":
		return plain, list(window+" max pool", stride), list(window+" max pool", stride)
	case "avgpool":
		return plain, list(window+" avg pool", stride), list(window+" avg pool", stride)
	case "gap":
		return plain, "global avg pool", l.Type
	case "linear":
		return weighted, fmt.Sprint("fc, ", l.Output[0]), l.Type
	case "lstm":
		return weighted, list("LSTM", fmt.Sprint(l.Output[0]), l.Detail), list(l.Type, l.Detail)
	case "frequency-linear":
		return weighted, "linear, over frequencies", l.Type
	case "shortcut-pad":
		return plain, list("identity", strings.TrimPrefix(words, "/1")), list(l.Type, l.Detail)
	case "pyramid":
		return plain, "pyramid " + l.Detail, l.Type
	case "add":
		return joint, "+", l.Type
	case "excite":
		return joint, "× sigmoid", l.Type
	case "concat":
		return joint, fmt.Sprint("concat, ", l.Output[0]), l.Type
	}
	if len(l.Inputs) > 1 {
		k = joint
	} else {
		k = plain
	}
	return k, strings.TrimSpace(l.Type + " " + l.Detail), strings.TrimSpace(l.Type + " " + l.Detail)
}

// sign reports whether a box is a circle with a sign: "+".
func (b box) sign() bool { return b.kind == joint && len([]rune(b.title)) == 1 }

// lines are a box's text: what it is, and what follows in it.
func (b box) lines() []string {
	switch {
	case len(b.after) == 0:
		return []string{b.title}
	case b.form == "":
		return []string{strings.Join(append([]string{b.title}, b.after...), ", ")}
	}
	return []string{b.title, strings.Join(b.after, ", ")}
}

// frameLabel is the text of the frame around a box's block: "layer1.1 × 17".
func (b box) frameLabel() string {
	if b.repeat > 1 {
		return fmt.Sprintf("%s × %d", b.block, b.repeat)
	}
	return b.block
}

// looks is what two boxes have in common that look alike.
func (b box) looks() string {
	return fmt.Sprint(b.kind, b.title, b.after, b.shortcut, b.training, b.out)
}

// enlarges reports whether a box is on a shortcut that changes the shape.
func enlarges(list []box, i int) bool {
	from := i
	for from != outside && list[from].shortcut {
		from = list[from].inputs[0]
	}
	return from != i && (from == outside || !slices.Equal(list[from].out, list[i].out))
}

// dotted reports whether the edge between two boxes belongs to such a shortcut.
func dotted(list []box, from, to int) bool {
	return list[to].dotted || from != outside && list[from].dotted
}

// dims writes a shape as 64×56×56.
func dims(shape []int) string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(shape), "[]"), " ", "×")
}
