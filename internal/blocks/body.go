package blocks

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"resnet/internal/graph"
)

// Sequence is the Block of a net that is not made of residual or plain blocks: its Body is drawn
// from top to bottom. The baselines of the paper's tables are such nets.
const Sequence Block = "sequence"

// PartKind is what a Part does.
type PartKind string

// The kinds of parts, with the fields that they use.
const (
	// PartConv has Out filters of Kernel x Kernel pixels and zeros around, (Kernel-1)/2 on each
	// side; Stride; Bias or not. With Same a stride of 2 has one zero less at the beginning.
	PartConv PartKind = "conv"
	// PartNorm is batch normalisation.
	PartNorm PartKind = "norm"
	PartReLU PartKind = "relu"
	// PartPReLU has a learned slope for each channel, which starts at 0.25.
	PartPReLU PartKind = "prelu"
	// PartLRN is local response normalisation.
	PartLRN PartKind = "lrn"
	// PartMaxPool has Kernel, Stride, Pad and Ceil; so has PartAvgPool, where zeros of the padding
	// count, but not with Same.
	PartMaxPool PartKind = "maxpool"
	PartAvgPool PartKind = "avgpool"
	// PartGlobal is the mean of each plane: [N, C].
	PartGlobal PartKind = "global"
	// PartFlatten makes a row of a map: [N, C·H·W].
	PartFlatten PartKind = "flatten"
	// PartPyramid is spatial pyramid pooling: [N, C·ΣLevels²].
	PartPyramid PartKind = "pyramid"
	// PartFC is a fully connected layer of Out units with biases.
	PartFC PartKind = "fc"
	// PartClassifier is a fully connected layer with a unit for each class.
	PartClassifier PartKind = "classifier"
	// PartDropout zeroes values in training, with probability Dropout.
	PartDropout PartKind = "dropout"
	// PartModule has Branches on one input, joined along their channels.
	PartModule PartKind = "module"
	// PartAux is an auxiliary classifier, in training alone: Branches[0] gives its logits, whose
	// loss counts LossWeight times.
	PartAux PartKind = "aux"
)

// Part is one line of a figure: a layer with Name before its parameters' names, or a module of
// several branches. Fields that a kind does not use are zero. Its form in files is fileForm's.
type Part struct {
	Kind       PartKind
	Name       string
	Out        int
	Kernel     int
	Stride     int
	Pad        int
	Ceil       bool
	Bias       bool
	Same       bool // padding is TensorFlow's, on maps of an even size
	Dropout    float64
	LossWeight float64
	Levels     []int
	Branches   [][]Part
}

// lrnOpts are the constants of local response normalisation. Szegedy et al. 2015 give none: these
// are ours, those of Caffe's GoogLeNet, Krizhevsky's window, α and β with k = 1.
var lrnOpts = graph.LRNOpts{Size: 5, Alpha: 1e-4, Beta: 0.75, Bias: 1}

// sequence draws parts one after another.
func sequence[T any](b net[T], s Spec, parts []Part, x T) T {
	for _, p := range parts {
		x = drawPart(b, s, p, x)
	}
	return x
}

func drawPart[T any](b net[T], s Spec, p Part, x T) T {
	switch p.Kind {
	case PartConv:
		return b.Conv(p.Name, x, convOpts{filters: p.Out, kernel: p.Kernel, stride: p.Stride, bias: p.Bias, same: p.Same})
	case PartNorm:
		return b.BatchNorm(p.Name, x)
	case PartReLU:
		return b.ReLU(x)
	case PartPReLU:
		return b.PReLU(p.Name, x)
	case PartLRN:
		return b.LRN(p.Name, x, lrnOpts)
	case PartMaxPool:
		return b.MaxPool(p.Name, x, p.window())
	case PartAvgPool:
		return b.AvgPool(p.Name, x, p.window())
	case PartGlobal:
		return b.GlobalAvgPool(x)
	case PartFlatten:
		return b.Flatten(x)
	case PartPyramid:
		return b.Pyramid(p.Name, x, p.Levels)
	case PartFC:
		return b.Linear(p.Name, x, p.Out)
	case PartClassifier:
		return b.Classifier(p.Name, x, s.Classes)
	case PartDropout:
		return b.Dropout(p.Name, x, p.Dropout)
	case PartAux:
		b.Auxiliary(p.Name, p.LossWeight, func(b net[T]) T { return sequence(b, s, p.Branches[0], x) })
		return x
	default: // PartModule: Spec.Validate admits no other
		var outs []T
		for _, branch := range p.Branches {
			outs = append(outs, sequence(b.In(p.Name), s, branch, x))
		}
		return b.In(p.Name).Concat(outs...)
	}
}

func (p Part) window() graph.PoolOpts {
	return graph.PoolOpts{Kernel: p.Kernel, Stride: p.Stride, Pad: p.Pad, Ceil: p.Ceil, ExcludePad: p.Same}
}

// The parts, in the words of the papers' figures.

func conv(name string, out, kernel, stride int) Part {
	return Part{Kind: PartConv, Name: name, Out: out, Kernel: kernel, Stride: stride}
}

func biased(p Part) Part {
	p.Bias = true
	return p
}

func maxPool(kernel, stride int) Part {
	return Part{Kind: PartMaxPool, Kernel: kernel, Stride: stride}
}

func ceilPool(kernel, stride int) Part {
	return Part{Kind: PartMaxPool, Kernel: kernel, Stride: stride, Ceil: true}
}

func fc(name string, out int) Part { return Part{Kind: PartFC, Name: name, Out: out} }

func classifier(name string) Part { return Part{Kind: PartClassifier, Name: name} }

func drop(p float64) Part { return Part{Kind: PartDropout, Name: "dropout", Dropout: p} }

var (
	rectify    = Part{Kind: PartReLU}
	globalPool = Part{Kind: PartGlobal}
)

// numbered names parts as torch.nn.Sequential does: prefix.0, prefix.1, and so on.
func numbered(prefix string, parts ...Part) []Part {
	for i := range parts {
		parts[i].Name = fmt.Sprintf("%s.%d", prefix, i)
	}
	return parts
}

// depthOf is the number of layers with weights on the longest path through the parts, without
// auxiliary classifiers.
func depthOf(parts []Part) int {
	n := 0
	for _, p := range parts {
		switch p.Kind {
		case PartConv, PartFC, PartClassifier:
			n++
		case PartModule:
			longest := 0
			for _, branch := range p.Branches {
				longest = max(longest, depthOf(branch))
			}
			n += longest
		}
	}
	return n
}

// cloneParts copies parts with what they point to.
func cloneParts(parts []Part) []Part {
	if parts == nil {
		return nil
	}
	out := make([]Part, len(parts))
	for i, p := range parts {
		p.Levels = append([]int(nil), p.Levels...)
		var branches [][]Part
		for _, branch := range p.Branches {
			branches = append(branches, cloneParts(branch))
		}
		p.Branches = branches
		out[i] = p
	}
	return out
}

// has reports whether a kind of part is in the body itself.
func (s Spec) has(kind PartKind) bool {
	for _, p := range s.Body {
		if p.Kind == kind {
			return true
		}
	}
	return false
}

// WithoutAuxiliary is the net without its auxiliary classifiers, which evaluation does not use.
func (s Spec) WithoutAuxiliary() Spec {
	s.Body = evaluated(s.Body)
	return counted(s)
}

// SameBody reports whether two nets have the same parts in evaluation: with or without auxiliary
// classifiers.
func (s Spec) SameBody(o Spec) bool {
	return reflect.DeepEqual(evaluated(s.Body), evaluated(o.Body))
}

// evaluated are the parts that evaluation draws.
func evaluated(parts []Part) []Part {
	return cloneParts(slices.DeleteFunc(slices.Clone(parts), func(p Part) bool { return p.Kind == PartAux }))
}

// Head is the name of the classifier, the layer that gives the logits. Auxiliary classifiers have
// heads of their own: see graph.Param.Head.
func (s Spec) Head() string {
	switch n := len(s.Body); {
	case n > 0:
		return s.Body[n-1].Name
	case s.Family == FamilySpeech:
		return speechHead
	}
	return residualHead
}

// InHead reports whether a parameter is the classifier's.
func (s Spec) InHead(name string) bool { return strings.HasPrefix(name, s.Head()+".") }
