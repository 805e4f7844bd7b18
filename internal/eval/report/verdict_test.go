package report

import (
	"math"
	"strings"
	"testing"
)

// ended is a run of one epoch of 5,000 images in updates of 64, measured on 1,000 test images.
func ended(train, test float64, params int64) Compared {
	return Compared{
		Run{History: History{{Step: 78, Epoch: ptr(1), TrainError: ptr(train), TestError: ptr(test)}}},
		Net{Params: params, Batch: 64, TrainImages: 5_000, TestImages: 1_000},
	}
}

func TestAVerdictSaysWhatTheFiguresShow(t *testing.T) {
	for name, c := range map[string]struct {
		plain, residual Compared
		noise, train    float64 // by hand, 2 √(p(100−p)/n + q(100−q)/n)
		want            string
	}{
		"degradation": {
			ended(50, 50, 1), ended(30, 32, 1), 4.3248, 1.9183,
			"The plain network's test error is 18.00 points above the residual one's (noise 4.32). So is its training error, by 20.00 points (noise 1.92): " +
				"it does not even fit the images that it has seen as well. That is no over-fitting; it is harder to train. " +
				"The shortcuts, which have no parameters, are the only difference between the two.",
		},
		"degradation, other parameters": {
			ended(50, 50, 2), ended(30, 32, 1), 4.3248, 1.9183,
			"The plain network's test error is 18.00 points above the residual one's (noise 4.32). So is its training error, by 20.00 points (noise 1.92): " +
				"it does not even fit the images that it has seen as well. That is no over-fitting; it is harder to train.",
		},
		"the other way": {
			ended(20, 22, 1), ended(30, 32, 1), 3.9456, 1.7205,
			"The plain network's test error is 10.00 points below the residual one's (noise 3.95). The plain network's training error is 10.00 points below the residual one's (noise 1.72).",
		},
		// Not one and a half points on 1,000 images, and not nine tenths on 5,000.
		"within the noise": {
			ended(18.6, 20.1, 1), ended(19.5, 18.6, 1), 3.5327, 1.5707,
			"The test errors do not differ: they are 1.50 points apart, and the noise of 1,000 test images is 3.53. Neither network is better here. " +
				"Their training errors do not differ (0.90 points, noise 1.57).",
		},
		"over-fitting": {
			ended(10, 50, 1), ended(30, 32, 1), 4.3248, 1.5492,
			"The plain network's test error is 18.00 points above the residual one's (noise 4.32). The plain network's training error is 20.00 points below the residual one's (noise 1.55).",
		},
		"in training alone": {
			ended(40, 32, 1), ended(30, 31, 1), 4.1545, 1.8974,
			"The test errors do not differ: they are 1.00 points apart, and the noise of 1,000 test images is 4.15. Neither network is better here. " +
				"The plain network's training error is 10.00 points above the residual one's (noise 1.90).",
		},
	} {
		v := Judge(c.plain, c.residual)
		const seeds = " This is one run of each; the noise does not cover what another seed (--set train.seed=2) would change."
		if v.Text() != c.want+seeds {
			t.Errorf("%s:\n%s\nwant\n%s", name, v.Text(), c.want+seeds)
		}
		p, r := c.plain.History[0], c.residual.History[0]
		if v.TestDifference != *p.TestError-*r.TestError || v.TrainDifference != *p.TrainError-*r.TrainError ||
			math.Abs(v.Noise-c.noise) > 1e-4 || math.Abs(v.TrainNoise-c.train) > 1e-4 || v.SameParams != (c.plain.Net.Params == c.residual.Net.Params) {
			t.Errorf("%s: %+v, want the noises %v and %v", name, v, c.noise, c.train)
		}
	}
}

// TestAVerdictAndAFindingAgree: the quickstart and `compare runs` on its folders.
func TestAVerdictAndAFindingAgree(t *testing.T) {
	for _, test := range []float64{18.6, 20, 22, 23, 30} {
		plain, residual := ended(30, test, 1), ended(20, 18.6, 1)
		plain.Net.Model, plain.Net.Kind, plain.Net.Depth = "plain56", KindPlain, 56
		residual.Net.Model, residual.Net.Kind, residual.Net.Depth = "resnet56", KindResidual, 56
		finding := strings.Join(NewComparison("", "", []Compared{plain, residual}).Findings, "\n")
		verdict := Judge(plain, residual).Text()
		if strings.Contains(finding, "no difference beyond the noise") != strings.Contains(verdict, "test errors do not differ") {
			t.Errorf("%v and 18.6 of 1,000 images:\n%s\n%s", test, finding, verdict)
		}
	}
}
