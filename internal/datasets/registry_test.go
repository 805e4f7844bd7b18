package datasets

import "testing"

func TestNumbersOfTestImagesAreThoseOfTheDataSets(t *testing.T) {
	for name, want := range map[string]int{
		"cifar10": 10_000, "cifar100": 10_000, "mnist": 10_000, "fashion-mnist": 10_000, "fashion-sample": 1_000,
		"imagenet": 0, "folder": 0, "packed": 0, "none": 0,
	} {
		if got := TestImages(name); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
	d, err := Open(t.Context(), Config{Name: "fashion-sample"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if d.Len(Test) != TestImages("fashion-sample") {
		t.Errorf("the embedded images are %d", d.Len(Test))
	}
}
