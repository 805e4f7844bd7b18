package report

import (
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// figure6 are the ends of the paper's Fig. 6: test errors of residual networks from Table 6, the
// others as the curves show them.
func figure6() map[string]Outcome {
	m := map[string]Outcome{}
	add := func(model string, depth int, kind string, train, test float64) {
		o := of(model, depth, kind, train, test)
		o.Dataset, o.Family = "cifar10", "cifar"
		m[model] = o
	}
	add("plain20", 20, KindPlain, 6.5, 9.5)
	add("plain32", 32, KindPlain, 8, 10.5)
	add("plain44", 44, KindPlain, 10.5, 12.5)
	add("plain56", 56, KindPlain, 13.2, 14)
	add("plain110", 110, KindPlain, 65, 62)
	add("resnet20", 20, KindResidual, 2, 8.75)
	add("resnet32", 32, KindResidual, 0.8, 7.51)
	add("resnet44", 44, KindResidual, 0.45, 7.17)
	add("resnet56", 56, KindResidual, 0.3, 6.97)
	add("resnet110", 110, KindResidual, 0.08, 6.43)
	add("resnet1202", 1202, KindResidual, 0.06, 7.93)
	return m
}

// verdicts are the claims by what was made of them.
func verdicts(m map[string]Outcome) map[string]string {
	got := map[string]string{}
	for _, c := range claims(comparable(slices.Collect(maps.Values(m)))) {
		got[c.ID] = c.Verdict
	}
	return got
}

func TestThePapersOwnFiguresBearOutEveryClaim(t *testing.T) {
	want := map[string]string{ClaimDegradation: Reproduced, ClaimGain: Reproduced, ClaimShortcuts: Reproduced, ClaimOverfitting: Reproduced}
	if d := cmp.Diff(want, verdicts(figure6())); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestExactlyTheClaimThatFailsIsSaidToFail changes one network at a time.
func TestExactlyTheClaimThatFailsIsSaidToFail(t *testing.T) {
	for name, c := range map[string]struct {
		change func(map[string]Outcome)
		want   map[string]string // of the claims that are not reproduced
	}{
		"a deeper plain network trains better, between the ends": {func(m map[string]Outcome) { set1(m, "plain44", 7, 12.5) }, map[string]string{ClaimDegradation: NotReproduced}},
		"plain networks train alike": {func(m map[string]Outcome) {
			for _, n := range []string{"plain20", "plain32", "plain44", "plain56", "plain110"} {
				set1(m, n, 13.2, m[n].Test)
			}
		}, map[string]string{ClaimDegradation: NotReproduced}},
		"a little worse with depth": {func(m map[string]Outcome) {
			for i, n := range []string{"plain20", "plain32", "plain44", "plain56", "plain110"} {
				set1(m, n, 13.2+0.05*float64(i), m[n].Test)
			}
		}, map[string]string{ClaimDegradation: WithinNoise}},
		"a deeper residual network trains worse":           {func(m map[string]Outcome) { set1(m, "resnet56", 1, 6.97) }, map[string]string{ClaimGain: NotReproduced}},
		"a deeper residual network tests worse":            {func(m map[string]Outcome) { set1(m, "resnet44", 0.45, 9) }, map[string]string{ClaimGain: NotReproduced}},
		"the deepest tests as the first, within the noise": {func(m map[string]Outcome) { tests(m, 7, "resnet20", "resnet32", "resnet44", "resnet56", "resnet110") }, map[string]string{ClaimGain: WithinNoise}},
		"1202 layers test as well":                         {func(m map[string]Outcome) { set1(m, "resnet1202", 0.06, 6.43) }, map[string]string{ClaimOverfitting: NotReproduced}},
		"1202 layers test better":                          {func(m map[string]Outcome) { set1(m, "resnet1202", 0.06, 4.9) }, map[string]string{ClaimOverfitting: NotReproduced}},
		"1202 layers test a little worse":                  {func(m map[string]Outcome) { set1(m, "resnet1202", 0.06, 6.6) }, map[string]string{ClaimOverfitting: WithinNoise}},
		"1202 layers do not fit the training images":       {func(m map[string]Outcome) { set1(m, "resnet1202", 1, 7.93) }, map[string]string{ClaimOverfitting: NotReproduced}},
		"plain as good as residual":                        {func(m map[string]Outcome) { set1(m, "plain44", 10.5, 6) }, map[string]string{ClaimShortcuts: NotReproduced}},
		"the number of test images is not known": {func(m map[string]Outcome) {
			for n, o := range m {
				o.TestImages = 0
				m[n] = o
			}
		}, map[string]string{ClaimGain: NotKnown, ClaimShortcuts: NotKnown, ClaimOverfitting: NotKnown}},
	} {
		m := figure6()
		c.change(m)
		got := verdicts(m)
		maps.DeleteFunc(got, func(_, v string) bool { return v == Reproduced })
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

func set1(m map[string]Outcome, name string, train, test float64) {
	o := m[name]
	o.Train, o.Test = train, test
	m[name] = o
}

func tests(m map[string]Outcome, test float64, names ...string) {
	for _, n := range names {
		set1(m, n, m[n].Train, test)
	}
}

// TestNothingIsClaimedThatThePaperDoesNotClaim: nets that are compared without one of its claims.
func TestNothingIsClaimedThatThePaperDoesNotClaim(t *testing.T) {
	all := figure6()
	pick := func(names ...string) (list []Outcome) {
		for _, n := range names {
			list = append(list, all[n])
		}
		return list
	}
	imagenet := func(o Outcome) Outcome {
		o.Family, o.Dataset = familyImageNet, "imagenet"
		return o
	}
	for name, c := range map[string]struct {
		outcomes []Outcome
		want     []string
		says     string
	}{
		"20 against 1202":        {pick("resnet20", "resnet1202"), nil, "The paper makes no claim about this pair."},
		"56 against 1202":        {pick("resnet20", "resnet56", "resnet1202"), []string{ClaimGain}, "The paper makes no claim about this pair."},
		"110 against 1202":       {pick("resnet110", "resnet1202"), []string{ClaimOverfitting}, ""},
		"20 layers of each kind": {pick("plain20", "resnet20"), nil, "The paper makes no claim about this pair."},
		"56 layers of each kind": {pick("plain56", "resnet56"), []string{ClaimShortcuts}, ""},
		"one network":            {pick("plain20"), nil, ""},
		"no depth in common":     {pick("plain20", "resnet56"), nil, ""},
		"of neither kind":        {[]Outcome{of("a", 0, "", 10, 12), of("b", 0, "", 20, 22)}, nil, ""},
		"one depth, two options": {[]Outcome{of("resnet34", 34, KindResidual, 9, 10), of("resnet34a", 34, KindResidual, 20, 20)}, nil, ""},
		"two families":           {append(pick("resnet20"), imagenet(of("resnet34", 34, KindResidual, 1, 2))), nil, ""},
		// On ImageNet the gain goes on to 152 layers.
		"ImageNet": {[]Outcome{imagenet(of("resnet50", 50, KindResidual, 20, 22.85)), imagenet(of("resnet101", 101, KindResidual, 15, 21.75)), imagenet(of("resnet152", 152, KindResidual, 13, 21.43))}, []string{ClaimGain}, ""},
		"Table 2": {[]Outcome{
			imagenet(of("plain18", 18, KindPlain, 30, 27.94)), imagenet(of("plain34", 34, KindPlain, 32, 28.54)),
			imagenet(of("resnet18a", 18, KindResidual, 30, 27.88)), imagenet(of("resnet34a", 34, KindResidual, 25, 25.03)),
		}, []string{ClaimDegradation, ClaimGain, ClaimShortcuts}, ""},
		"unfinished": {[]Outcome{{Model: "plain110", Kind: KindPlain, Depth: 110, Unfinished: 2}, all["plain20"]}, nil, "2 runs are not finished"},
	} {
		sets := comparable(c.outcomes)
		list := claims(sets)
		var got []string
		for _, x := range list {
			got = append(got, x.ID)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		all := strings.Join(findings(c.outcomes, sets, list), "\n")
		if !strings.Contains(all, c.says) || c.says == "" && strings.Contains(all, "no claim") {
			t.Errorf("%s says\n%s\nwant %q", name, all, c.says)
		}
	}
}

func TestAClaimGivesItsFigures(t *testing.T) {
	m := figure6()
	set1(m, "plain44", 7, 12.5)
	var got []string
	for _, c := range claims(comparable(slices.Collect(maps.Values(m)))) {
		got = append(got, c.Sentence())
	}
	// The noises are 2 √(p(100−p)/n + q(100−q)/n) by hand, of 50,000 training and 10,000 test
	// images.
	want := []string{
		"Plain networks degrade with depth (He et al. 2016, section 4.2, Fig. 1 and 6): not reproduced. Training errors: plain20 6.50%, plain32 8.00%, plain44 7.00%, plain56 13.20%, plain110 65.00% " +
			"(58.50 points, noise 0.48). Against the claim: plain44 is 1.00 points below plain32 (noise 0.33).",
		"Residual networks gain from depth (He et al. 2016, section 4.2, Fig. 6 and Table 6): reproduced. Training errors: resnet20 2.00%, resnet32 0.80%, resnet44 0.45%, resnet56 0.30%, resnet110 0.08% " +
			"(1.92 points, noise 0.13). Test errors: resnet20 8.75%, resnet32 7.51%, resnet44 7.17%, resnet56 6.97%, resnet110 6.43% (2.32 points, noise 0.75). " +
			"Within the noise: resnet32 and resnet44 (0.34 points, noise 0.74), resnet44 and resnet56 (0.20 points, noise 0.72), resnet56 and resnet110 (0.54 points, noise 0.71).",
		"Shortcuts are the cure: deep residual networks test better than plain ones (He et al. 2016, section 4.2, Fig. 6): reproduced. At 32 layers plain32 10.50%, resnet32 7.51%: 2.99 points above (noise 0.81). " +
			"At 44 layers plain44 12.50%, resnet44 7.17%: 5.33 points above (noise 0.84). At 56 layers plain56 14.00%, resnet56 6.97%: 7.03 points above (noise 0.86). " +
			"At 110 layers plain110 62.00%, resnet110 6.43%: 55.57 points above (noise 1.09).",
		"1,202 layers over-fit: they fit the training images as well as 110 and test worse (He et al. 2016, section 4.2): reproduced. Training: resnet1202 0.06%, resnet110 0.08%: no difference beyond the noise " +
			"(0.02 points, noise 0.03). Test: resnet1202 7.93%, resnet110 6.43%: 1.50 points above (noise 0.73).",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestSettingsAreOtherExperiments: two rates with two seeds each are two outcomes, and claims are
// judged for each.
func TestSettingsAreOtherExperiments(t *testing.T) {
	var runs []Compared
	for _, rate := range []string{"0.1", "0.05"} {
		for seed := range uint64(2) {
			for depth, train := range map[int]float64{20: 10, 56: 20} {
				if rate == "0.05" {
					train = 30 - train
				}
				c := ended(train+float64(seed), 12, 1)
				c.Net.Model, c.Net.Kind, c.Net.Depth, c.Net.Seed = map[int]string{20: "plain20", 56: "plain56"}[depth], KindPlain, depth, seed
				c.Net.Settings = []Setting{{"train.schedule.rate", rate}, {"train.schedule.warmup.rate", map[int]string{20: "0", 56: "0.01"}[depth]}}
				runs = append(runs, c)
			}
		}
	}
	c := NewComparison("", "", runs)
	if len(c.Outcomes) != 4 || c.Outcomes[0].Runs != 2 || math.Abs(c.Outcomes[0].TrainStd-math.Sqrt(0.5)) > 1e-12 {
		t.Fatalf("outcomes %+v", c.Outcomes)
	}
	got := map[string]string{}
	for _, x := range c.Claims {
		got[x.Settings] = x.Verdict
	}
	if d := cmp.Diff(map[string]string{"rate=0.1": Reproduced, "rate=0.05": NotReproduced}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	// 20 layers at a rate of 0.1 and 56 at 0.05 train alike; every test error is 12 %.
	found := strings.Join(c.Findings, "\n")
	if want := "Of plain20, rate=0.1 has the lowest test error, 12.00 ± 0.00%. rate=0.05 does not differ from it (0.00 points, noise 2.91)."; !strings.Contains(found, want) {
		t.Errorf("%s\nwant %q", found, want) // 2 √(2·12·88/1000)
	}
	var b strings.Builder
	if err := c.WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	// The warm-up has a column, and does not tell runs of one network apart.
	head, _, _ := strings.Cut(b.String(), "\n")
	if !strings.HasPrefix(head, "network  train.schedule.rate  train.schedule.warmup.rate  layers") || strings.Contains(b.String(), "warmup=") {
		t.Error(b.String())
	}
	labels := map[string]int{}
	for _, l := range c.Figures()[0].groups() {
		labels[l.Group] = l.Color
	}
	// Each has a look of its own, the next one of the palette, however many seeds it has.
	if d := cmp.Diff(map[string]int{"plain20 rate=0.1": 0, "plain20 rate=0.05": 1, "plain56 rate=0.1": 2, "plain56 rate=0.05": 3}, labels); d != "" {
		t.Errorf("lines (-want +got):\n%s", d)
	}
}
