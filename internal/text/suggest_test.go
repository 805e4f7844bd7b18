package text

import "testing"

func TestNearestIsAMisspellingAndNoOtherWord(t *testing.T) {
	names := []string{"cifar10", "cifar100", "fashion-mnist", "imagenet"}
	for word, want := range map[string]string{
		"cifra10": "cifar10", "CIFAR10": "cifar10", "cifar1000": "cifar100", "imagnet": "imagenet", "fashion_mnist": "fashion-mnist",
		"svhn": "", "cifar": "cifar10", "": "", "imag": "",
	} {
		if got := Nearest(word, names); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
	if got := DidYouMean("cifra10", names); got != ` - did you mean "cifar10"?` {
		t.Error(got)
	}
	if got := DidYouMean("svhn", names); got != "" {
		t.Error(got)
	}
}

func TestEditDistanceCountsSwapsOnce(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "abc", 3}, {"abc", "", 3}, {"abc", "acb", 1}, {"kitten", "sitting", 3}, {"ca", "abc", 3}, {"same", "same", 0}} {
		if got := editDistance(c.a, c.b); got != c.want {
			t.Errorf("%q, %q: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestOfEqualsTheFirstIsNearest(t *testing.T) {
	if got := Nearest("cifar9", []string{"cifar1", "cifar2"}); got != "cifar1" {
		t.Errorf("%s, want cifar1", got)
	}
}
