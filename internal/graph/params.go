package graph

import "slices"

// Kind says what a parameter is for; weight decay on weights only applies to KindWeight.
type Kind uint8

// The kinds of parameters. Running statistics are state, not trained.
const (
	KindWeight Kind = iota
	KindBias
	KindScale // γ of batch normalisation
	KindShift // β of batch normalisation
	KindSlope // PReLU
	KindRunningMean
	KindRunningVar
)

// Param is a named tensor of a model, row-major in its logical layout (convolutions [K, C, R, S],
// fully connected [K, C]). Names and layouts are torchvision's: "conv1.weight",
// "layer1.0.bn1.running_mean".
type Param struct {
	Name  string
	Shape []int
	Kind  Kind
	Data  []float32
	Grad  []float32 // nil for running statistics
	// Head says that the parameter belongs to a layer that gives logits, so that its shape follows
	// the number of classes.
	Head bool
	// Momentum of running statistics is the weight of a new batch: see StatsNode. A graph in Train
	// mode sets it.
	Momentum float64
}

// Trainable reports whether the parameter has a gradient.
func (p *Param) Trainable() bool { return p.Kind != KindRunningMean && p.Kind != KindRunningVar }

// ParamSet holds the parameters of a model in the order of their creation. Several graphs
// (training, evaluation, other batch sizes) share one ParamSet: a Builder creates what is missing
// and reuses what is there.
type ParamSet struct {
	// Seed keys the initialisers: each parameter's values depend on (Seed, Name) alone, not on the
	// order of creation.
	Seed   uint64
	list   []*Param
	byName map[string]*Param
}

// NewParamSet returns an empty set whose initialisers are keyed by seed.
func NewParamSet(seed uint64) *ParamSet {
	return &ParamSet{Seed: seed, byName: map[string]*Param{}}
}

// Replica returns a set of the same parameters for another machine: the values of trained ones are
// shared, gradients and running statistics are its own. Parameters that are added to either set
// later are not in the other.
func (s *ParamSet) Replica() *ParamSet {
	r := NewParamSet(s.Seed)
	for _, p := range s.list {
		q := *p
		q.Grad = nil // Add makes one
		if !p.Trainable() {
			q.Data = slices.Clone(p.Data)
		}
		r.Add(&q)
	}
	return r
}

// Get returns the named parameter, or nil.
func (s *ParamSet) Get(name string) *Param { return s.byName[name] }

// All returns every parameter in the order of creation. The slice must not be modified.
func (s *ParamSet) All() []*Param { return s.list }

// Add appends a parameter and allocates Grad when it is trainable. It panics on a name that exists:
// the Builder checks first.
func (s *ParamSet) Add(p *Param) {
	if s.byName[p.Name] != nil {
		panic("graph: duplicate parameter " + p.Name)
	}
	if p.Trainable() && p.Grad == nil {
		p.Grad = make([]float32, len(p.Data))
	}
	s.list = append(s.list, p)
	s.byName[p.Name] = p
}

// Count returns the number of trainable values.
func (s *ParamSet) Count() int64 {
	var n int64
	for _, p := range s.list {
		if p.Trainable() {
			n += int64(len(p.Data))
		}
	}
	return n
}
