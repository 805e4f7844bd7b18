package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"resnet/internal/eval"
)

// The claims of He et al. 2016 about depth.
const (
	ClaimDegradation = "degradation"  // plain networks get worse with depth
	ClaimGain        = "gain"         // residual networks get better with depth
	ClaimShortcuts   = "shortcuts"    // a deep residual network is better than the plain one
	ClaimOverfitting = "over-fitting" // 1202 layers fit CIFAR-10 as well as 110 and test worse
)

// The verdicts of a claim.
const (
	Reproduced    = "reproduced"
	WithinNoise   = "within noise" // as the paper has them, no further apart than chance
	NotReproduced = "not reproduced"
	NotKnown      = "not known" // on how many images was measured is not known
)

// A Claim is what the paper says of networks that were compared, and what the figures make of it.
type Claim struct {
	ID     string `json:"id"`
	Text   string `json:"claim"`
	Source string `json:"source"` // in the paper
	// Settings are those of the networks, where several configurations of one network are compared.
	Settings string `json:"settings,omitempty"`
	Verdict  string `json:"verdict"`
	Pairs    []Pair `json:"pairs"`

	say []string // sentences about the errors
}

// A Pair is two networks of a claim, the deeper one or the plain one first.
type Pair struct {
	First    string  `json:"first"`
	Second   string  `json:"second"`
	Error    string  `json:"error"`  // training or test
	Points   float64 `json:"points"` // the first error less the second
	Noise    float64 `json:"noise"`  // by eval.Compare; -1 where it is not known
	Expected string  `json:"expected"`
	Verdict  string  `json:"verdict"`

	errors [2]float64 // percent
}

// What a claim expects of the first error of a pair.
const (
	above    = "above"
	below    = "below"
	notAbove = "not above"
)

// judge is the verdict of one pair, whose claim is that the first error is as expected.
func judge(d eval.Difference, expected string) string {
	if math.IsInf(d.Noise, 1) {
		return NotKnown
	}
	sign, points := d.Sign(), d.Points
	switch expected {
	case notAbove:
		if sign > 0 {
			return NotReproduced
		}
		return Reproduced
	case below:
		sign, points = -sign, -points
	}
	switch {
	case sign > 0:
		return Reproduced
	case sign == 0 && points > 0:
		return WithinNoise
	}
	return NotReproduced
}

// claims judges everything that the paper says about the networks of the sets.
func claims(sets []set) []Claim {
	var list []Claim
	for _, s := range sets {
		for _, c := range []*Claim{degradation(s.plain), gain(s.upTo), shortcuts(s.plain, s.residual), overfitting(s.upTo, s.beyond)} {
			if c != nil {
				c.Settings = s.settings
				list = append(list, *c)
			}
		}
	}
	return list
}

// set is the networks that can be compared by depth, each kind shallow first and one of each depth.
type set struct {
	settings        string // that they share, where another set has others
	plain, residual []Outcome
	// upTo and beyond are the residual ones on either side of where the paper's claim about them
	// changes.
	upTo, beyond []Outcome
}

// comparable divides outcomes into sets: networks of another family, data set or, where a depth
// would have several, of other settings are judged apart. A depth that still has several networks
// (options A, B and C of one depth) is in none.
func comparable(all []Outcome) []set {
	type group struct{ family, dataset string }
	type place struct {
		group
		kind  string
		depth int
	}
	first := map[place]string{} // settings
	apart := map[group]bool{}   // by settings, too
	for _, o := range all {
		g := group{o.Family, o.Dataset}
		at, own := place{g, o.Kind, o.Depth}, settingsText(o.telling)
		if other, ok := first[at]; ok && other != own {
			apart[g] = true
		}
		first[at] = own
	}
	type key struct {
		group
		settings string
	}
	var keys []key
	members := map[key][]Outcome{}
	for _, o := range all {
		k := key{group: group{o.Family, o.Dataset}}
		if apart[k.group] {
			k.settings = settingsText(o.telling)
		}
		if members[k] == nil {
			keys = append(keys, k)
		}
		members[k] = append(members[k], o)
	}
	var list []set
	for _, k := range keys {
		s := set{settings: k.settings, plain: chain(members[k], KindPlain), residual: chain(members[k], KindResidual)}
		n := 0
		for n < len(s.residual) && !beyondGain(s.residual[n].Family, s.residual[n].Depth) {
			n++
		}
		s.upTo, s.beyond = s.residual[:n], s.residual[n:]
		list = append(list, s)
	}
	return list
}

// chain is the finished networks of a kind, shallow first, one of each depth.
func chain(outcomes []Outcome, kind string) []Outcome {
	var list []Outcome
	for _, o := range finished(outcomes, kind) {
		if o.Depth > 0 {
			list = append(list, o)
		}
	}
	return slices.DeleteFunc(slices.Clone(list), func(o Outcome) bool {
		n := 0
		for _, p := range list {
			if p.Depth == o.Depth {
				n++
			}
		}
		return n > 1
	})
}

// gainLimit is the depth up to which the paper's residual networks on CIFAR-10 gain.
const gainLimit = 110

// overfitDepth is that of the paper's network that over-fits.
const overfitDepth = 1202

// beyondGain reports whether a residual network is deeper than what the paper's claim of a gain is
// about. On ImageNet that goes up to the deepest, 152.
func beyondGain(family string, depth int) bool { return depth > gainLimit && family != familyImageNet }

// pairUp compares the errors of each network with those of the one before it, and those of the last
// with those of the first.
func pairUp(nets []Outcome, what, expected string) (pairs []Pair, ends Pair) {
	pair := func(deep, shallow Outcome) Pair { return newPair(deep, shallow, what, expected) }
	for i := 1; i < len(nets); i++ {
		pairs = append(pairs, pair(nets[i], nets[i-1]))
	}
	return pairs, pair(nets[len(nets)-1], nets[0])
}

func newPair(a, b Outcome, what, expected string) Pair {
	d := eval.Compare(a.sample(what), b.sample(what))
	p := Pair{First: a.Label(), Second: b.Label(), Error: what, Points: d.Points, Noise: d.Noise, Expected: expected, Verdict: judge(d, expected), errors: [2]float64{a.sample(what).Error, b.sample(what).Error}}
	if math.IsInf(d.Noise, 1) {
		p.Noise = -1
	}
	return p
}

// trend is the verdict over networks of rising depth: the last differs from the first as expected,
// and no pair of neighbours by more than the noise the other way.
func trend(pairs []Pair, ends Pair) string {
	if contradicted(append(slices.Clone(pairs), ends)) {
		return NotReproduced
	}
	return ends.Verdict
}

// contradicted reports whether a pair differs the other way than the claim has it.
func contradicted(pairs []Pair) bool {
	return slices.ContainsFunc(pairs, func(p Pair) bool { return p.Verdict == NotReproduced && p.beyondNoise() })
}

func (p Pair) beyondNoise() bool { return p.Noise >= 0 && math.Abs(p.Points) > p.Noise }

func degradation(plain []Outcome) *Claim {
	if len(plain) < 2 {
		return nil
	}
	pairs, ends := pairUp(plain, partTrain, above)
	c := &Claim{
		ID: ClaimDegradation, Text: "Plain networks degrade with depth", Source: source(plain[0], "Fig. 1 and 6"),
		Verdict: trend(pairs, ends), Pairs: withEnds(pairs, ends),
	}
	c.say = append(c.say, errorsText(plain, partTrain, ends), exceptions(pairs, ends))
	return c
}

func gain(residual []Outcome) *Claim {
	if len(residual) < 2 {
		return nil
	}
	training, ends := pairUp(residual, partTrain, below)
	test, testEnds := pairUp(residual, partTest, below)
	c := &Claim{
		ID: ClaimGain, Text: "Residual networks gain from depth", Source: source(residual[0], "Fig. 6 and Table 6"),
		Verdict: trend(training, ends), Pairs: append(withEnds(training, ends), withEnds(test, testEnds)...),
	}
	// The training error is what the paper's problem is about; the test error must go the same way.
	switch {
	case contradicted(append(test, testEnds)):
		c.Verdict = NotReproduced
	case testEnds.Verdict == NotKnown:
		c.Verdict = NotKnown
	case testEnds.Verdict == NotReproduced && c.Verdict == Reproduced:
		c.Verdict = WithinNoise
	}
	c.say = append(c.say, errorsText(residual, partTrain, ends), exceptions(training, ends), errorsText(residual, partTest, testEnds), exceptions(test, testEnds))
	return c
}

// deepKinds is the least depth at which the paper says that residual networks test better than
// plain ones. Of 18 layers it says that they are comparably accurate (section 4.1).
const deepKinds = 32

func shortcuts(plain, residual []Outcome) *Claim {
	c := &Claim{ID: ClaimShortcuts, Text: "Shortcuts are the cure: deep residual networks test better than plain ones"}
	for _, p := range plain {
		i := indexDepth(residual, p.Depth)
		if p.Depth < deepKinds || i < 0 {
			continue
		}
		c.Source = source(p, "Fig. 6")
		pair := newPair(p, residual[i], partTest, above)
		c.Pairs = append(c.Pairs, pair)
		c.say = append(c.say, fmt.Sprintf("At %d layers %s", p.Depth, pair.sentence()))
	}
	if c.Pairs == nil {
		return nil
	}
	if contradicted(c.Pairs) {
		c.Verdict = NotReproduced
		return c
	}
	// A pair within the noise beside ones that are beyond it takes nothing away.
	for _, v := range []string{Reproduced, WithinNoise, NotReproduced, NotKnown} {
		if slices.ContainsFunc(c.Pairs, func(p Pair) bool { return p.Verdict == v }) {
			c.Verdict = v
			break
		}
	}
	return c
}

func overfitting(upTo, beyond []Outcome) *Claim {
	shallow, deep := indexDepth(upTo, gainLimit), indexDepth(beyond, overfitDepth)
	if shallow < 0 || deep < 0 {
		return nil
	}
	a, b := beyond[deep], upTo[shallow]
	train, test := newPair(a, b, partTrain, notAbove), newPair(a, b, partTest, above)
	c := &Claim{
		ID: ClaimOverfitting, Text: "1,202 layers over-fit: they fit the training images as well as 110 and test worse", Source: "He et al. 2016, section 4.2",
		Pairs: []Pair{train, test}, Verdict: test.Verdict,
	}
	if train.Verdict == NotReproduced || train.Verdict == NotKnown {
		c.Verdict = train.Verdict
	}
	c.say = append(c.say, "Training: "+train.sentence(), "Test: "+test.sentence())
	return c
}

// indexDepth finds the network of a depth; -1 where there is none.
func indexDepth(nets []Outcome, depth int) int {
	return slices.IndexFunc(nets, func(o Outcome) bool { return o.Depth == depth })
}

// source is where the paper says it.
func source(o Outcome, cifar string) string {
	if o.Family == familyImageNet {
		return "He et al. 2016, section 4.1, Fig. 4 and Table 2"
	}
	return "He et al. 2016, section 4.2, " + cifar
}

// withEnds adds the pair of the first and the last network, where it is not the only one.
func withEnds(pairs []Pair, ends Pair) []Pair {
	if len(pairs) < 2 {
		return slices.Clone(pairs)
	}
	return append(slices.Clone(pairs), ends)
}

// errorsText lists the errors of networks of rising depth, with how far the ends are apart.
func errorsText(nets []Outcome, what string, ends Pair) string {
	var list []string
	for _, o := range nets {
		list = append(list, fmt.Sprintf("%s %.2f%%", o.Label(), o.sample(what).Error))
	}
	names := map[string]string{partTrain: "Training errors", partTest: "Test errors"}
	return fmt.Sprintf("%s: %s (%s).", names[what], strings.Join(list, ", "), ends.distance())
}

// distance is "3.20 points apart, noise 0.41".
func (p Pair) distance() string {
	if p.Noise < 0 {
		return "whether they differ is not known, because the number of images is not"
	}
	return fmt.Sprintf("%.2f points, noise %.2f", math.Abs(p.Points), p.Noise)
}

// exceptions says of which neighbours the errors are not as expected.
func exceptions(pairs []Pair, ends Pair) string {
	var within, against []string
	for _, p := range pairs {
		switch {
		case len(pairs) == 1 && p.Verdict != Reproduced && p.Verdict != NotKnown && !p.beyondNoise():
			return "They do not differ."
		case p.Verdict == NotReproduced && p.beyondNoise():
			against = append(against, fmt.Sprintf("%s is %.2f points %s %s (noise %.2f)", p.First, math.Abs(p.Points), side(p.Points), p.Second, p.Noise))
		case p.Verdict == WithinNoise || p.Verdict == NotReproduced:
			within = append(within, fmt.Sprintf("%s and %s (%.2f points, noise %.2f)", p.Second, p.First, math.Abs(p.Points), p.Noise))
		}
	}
	var s []string
	if against != nil {
		s = append(s, "Against the claim: "+strings.Join(against, ", ")+".")
	}
	if within != nil {
		s = append(s, "Within the noise: "+strings.Join(within, ", ")+".")
	}
	if len(pairs) > 1 && !ends.beyondNoise() && ends.Noise >= 0 {
		s = append(s, "The ends do not differ.")
	}
	return strings.Join(s, " ")
}

// sentence says how the two errors of a pair lie.
func (p Pair) sentence() string {
	figures := fmt.Sprintf("%s %.2f%%, %s %.2f%%", p.First, p.errors[0], p.Second, p.errors[1])
	switch {
	case p.Noise < 0:
		return figures + ": whether they differ is not known, because the number of images is not."
	case !p.beyondNoise():
		return fmt.Sprintf("%s: no difference beyond the noise (%s).", figures, p.distance())
	}
	return fmt.Sprintf("%s: %.2f points %s (noise %.2f).", figures, math.Abs(p.Points), side(p.Points), p.Noise)
}

func side(points float64) string {
	if points < 0 {
		return below
	}
	return above
}

// Headline is the claim, where the paper makes it, and the verdict.
func (c Claim) Headline() string {
	verdict := c.Verdict
	switch c.Verdict {
	case WithinNoise:
		verdict = "as in the paper, though within the noise"
	case NotKnown:
		verdict = "not known whether it is reproduced"
	}
	s := fmt.Sprintf("%s (%s)", c.Text, c.Source)
	if c.Settings != "" {
		s += ", with " + c.Settings
	}
	return s + ": " + verdict + "."
}

// Figures are the errors that the verdict is about, and what differs by how much.
func (c Claim) Figures() string {
	return strings.Join(slices.DeleteFunc(slices.Clone(c.say), func(s string) bool { return s == "" }), " ")
}

// Sentence is the headline and the figures.
func (c Claim) Sentence() string { return c.Headline() + " " + c.Figures() }
