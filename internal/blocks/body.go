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

// The kinds of parts.
const (
	PartConv    PartKind = "conv"    // Out filters of Kernel x Kernel with zeros around, (Kernel-1)/2 on each side; with Bias or not
	PartNorm    PartKind = "norm"    // batch normalisation
	PartReLU    PartKind = "relu"    //
	PartPReLU   PartKind = "prelu"   // a learned slope for each channel, which starts at 0.25
	PartLRN     PartKind = "lrn"     // local response normalisation
	PartMaxPool PartKind = "maxpool" // Kernel, Stride, Pad, Ceil
	PartAvgPool PartKind = "avgpool" // the same; zeros of the padding count
	PartGlobal  PartKind = "global"  // the mean of each plane: [N, C]
	PartFlatten PartKind = "flatten" // the map as a row: [N, C·H·W]
	PartPyramid PartKind = "pyramid" // spatial pyramid pooling: [N, C·ΣLevels²]
	PartFC      PartKind = "fc"      // Out units with biases; 0 means the classes
	PartDropout PartKind = "dropout" // in training, with probability Rate
	PartModule  PartKind = "module"  // Branches on one input, joined along their channels
	PartAux     PartKind = "aux"     // in training, a classifier on the way: Branches[0] gives its logits, Rate is the weight of its loss
)

// Part is one line of a figure: a layer with Name before its parameters' names, or a module of
// several branches. Fields that a kind does not use are zero.
type Part struct {
	Kind     PartKind `json:"kind"`
	Name     string   `json:"name,omitempty"`
	Out      int      `json:"out,omitempty"`
	Kernel   int      `json:"kernel,omitempty"`
	Stride   int      `json:"stride,omitempty"`
	Pad      int      `json:"pad,omitempty"`
	Ceil     bool     `json:"ceil,omitempty"`
	Bias     bool     `json:"bias,omitempty"`
	Rate     float64  `json:"rate,omitempty"`
	Levels   []int    `json:"levels,omitempty"`
	Branches [][]Part `json:"branches,omitempty"`
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
		return b.Conv(p.Name, x, convOpts{p.Out, p.Kernel, p.Stride, p.Bias})
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
		return b.Linear(p.Name, x, s.units(p))
	case PartDropout:
		return b.Dropout(p.Name, x, p.Rate)
	case PartAux:
		b.Auxiliary(p.Name, p.Rate, func(b net[T]) T { return sequence(b, s, p.Branches[0], x) })
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
	return graph.PoolOpts{Kernel: p.Kernel, Stride: p.Stride, Pad: p.Pad, Ceil: p.Ceil}
}

// units are those of a fully connected layer.
func (s Spec) units(p Part) int {
	if p.Out == 0 {
		return s.Classes
	}
	return p.Out
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

func drop(rate float64) Part { return Part{Kind: PartDropout, Name: "dropout", Rate: rate} }

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

// depthOf is the number of layers with weights on the longest way through the parts, without
// classifiers on the way.
func depthOf(parts []Part) int {
	n := 0
	for _, p := range parts {
		switch p.Kind {
		case PartConv, PartFC:
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

// WithoutAuxiliary is the net without its classifiers on the way, which evaluation does not use.
func (s Spec) WithoutAuxiliary() Spec {
	s.Body = evaluated(s.Body)
	return counted(s)
}

// SameBody reports whether two nets have the same parts in evaluation: with or without classifiers
// on the way.
func (s Spec) SameBody(o Spec) bool {
	return reflect.DeepEqual(evaluated(s.Body), evaluated(o.Body))
}

// evaluated are the parts that evaluation draws.
func evaluated(parts []Part) []Part {
	return cloneParts(slices.DeleteFunc(slices.Clone(parts), func(p Part) bool { return p.Kind == PartAux }))
}

// IsHead reports whether a parameter belongs to a layer that tells classes apart, so that another
// number of classes gives it another shape: fc; in nets that are numbered as torchvision's VGG is,
// the third fully connected layer; the last layer of a classifier on the way.
func IsHead(param string) bool {
	layer := param[:max(strings.LastIndexByte(param, '.'), 0)]
	return layer == "fc" || layer == "classifier.6" || strings.HasPrefix(layer, "aux") && strings.HasSuffix(layer, ".fc2")
}

// Head is the name of the classifier, the layer that gives the logits: "fc" for residual nets.
func (s Spec) Head() string {
	if n := len(s.Body); n > 0 {
		return s.Body[n-1].Name
	}
	return "fc"
}
