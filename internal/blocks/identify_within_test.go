package blocks

import (
	"maps"
	"slices"
	"testing"
)

// with are shapes under a prefix, beside others.
func with(prefix string, shapes, others map[string][]int) map[string][]int {
	all := maps.Clone(others)
	if all == nil {
		all = map[string][]int{}
	}
	for name, shape := range shapes {
		all[prefix+name] = shape
	}
	return all
}

// without are shapes less some.
func without(shapes map[string][]int, names ...string) map[string][]int {
	rest := maps.Clone(shapes)
	for _, n := range names {
		delete(rest, n)
	}
	return rest
}

// renamed are shapes with other names of some.
func renamed(shapes map[string][]int, names map[string]string) map[string][]int {
	out := map[string][]int{}
	for name, shape := range shapes {
		if to, ok := names[name]; ok {
			name = to
		}
		out[name] = shape
	}
	return out
}

func TestAnArchitectureIsFoundUnderAnyPrefix(t *testing.T) {
	r20 := shapesOf(t, "resnet20b", 7)
	bare := without(r20, "fc.weight", "fc.bias")
	mlp := map[string][]int{"a.b.fc.0.weight": {64, 64}, "a.b.fc.0.bias": {64}, "a.b.fc.2.weight": {16, 64}, "a.b.fc.2.bias": {16}, "queue": {16, 32}}
	for name, c := range map[string]struct {
		shapes   map[string][]int
		prefixes []string
		want     string // the row
		head     string
		classes  int
		left     []string
	}{
		"alone":                {r20, []string{""}, "resnet20b", "fc", 7, nil},
		"under a prefix":       {with("student.net.", r20, nil), []string{"student.net."}, "resnet20b", "student.net.fc", 7, nil},
		"a head of layers":     {with("a.b.", bare, mlp), []string{"a.b."}, "resnet20b", "", 10, slices.Sorted(maps.Keys(mlp))},
		"without a classifier": {bare, []string{""}, "resnet20b", "", 10, nil},
		"a Sequential":         {renamed(r20, map[string]string{"fc.weight": "fc.1.weight", "fc.bias": "fc.1.bias"}), []string{""}, "resnet20b", "fc.1", 7, nil},
		"a head beside": {
			with("backbone.", bare, map[string][]int{"head.fc.weight": {7, 64}, "head.fc.bias": {7}}), []string{"backbone."}, "resnet20b", "head.fc", 7, nil,
		},
		"a projection that is no head": {
			with("", bare, map[string][]int{"projector.weight": {7, 64}, "projector.bias": {7}}), []string{""}, "resnet20b", "", 10, []string{"projector.bias", "projector.weight"},
		},
		"a head of other features": {with("", bare, map[string][]int{"head.weight": {7, 65}, "head.bias": {7}}), []string{""}, "resnet20b", "", 10, []string{"head.bias", "head.weight"}},
		"two networks":             {with("q.", bare, with("k.", bare, nil)), []string{"k.", "q."}, "resnet20b", "", 10, nil},
		// What stands between the layers makes another network.
		"attention in a block": {with("", r20, map[string][]int{"layer1.0.se.fc1.weight": {1, 16, 1, 1}}), []string{""}, "", "", 0, nil},
		"another stage":        {with("", r20, map[string][]int{"layer4.0.conv1.weight": {128, 64, 3, 3}}), []string{""}, "", "", 0, nil},
		"one tensor less":      {without(r20, "layer3.2.bn2.bias"), []string{""}, "", "", 0, nil},
		"VGG in a module":      {with("m.", shapesOf(t, "vgg16bn", 5), nil), []string{"m."}, "vgg16bn", "m.classifier.6", 5, nil},
	} {
		prefixes := Prefixes(slices.Sorted(maps.Keys(c.shapes)), c.shapes, nil)
		if !slices.Equal(prefixes, c.prefixes) {
			t.Errorf("%s: prefixes %q, want %q", name, prefixes, c.prefixes)
			continue
		}
		found := Within(c.shapes, prefixes[len(prefixes)-1], nil)
		if c.want == "" {
			if len(found) > 0 {
				t.Errorf("%s: taken for %s", name, found[0].Spec.Name)
			}
			continue
		}
		if len(found) != 1 || found[0].Spec.Name != c.want || found[0].Head != c.head || found[0].Spec.Classes != c.classes {
			t.Errorf("%s: %d found: %+v", name, len(found), found)
			continue
		}
		if name != "two networks" && !slices.Equal(found[0].Left, c.left) {
			t.Errorf("%s: left over %q, want %q", name, found[0].Left, c.left)
		}
	}
}

// Whatever Identify finds of a file without anything else, Within finds too, and the same.
func TestWithinFindsWhatIdentifyFinds(t *testing.T) {
	for _, row := range []string{"resnet18", "plain34", "resnet50", "resnet20", "cifar-resnet26", "resnet50c", "vgg16", "googlenet", "bn-inception-slim", "prelu-net-a"} {
		shapes := shapesOf(t, row, 7)
		var want, got []string
		for _, s := range Identify(shapes) {
			want = append(want, s.Name)
		}
		for _, f := range Within(shapes, "", nil) {
			got = append(got, f.Spec.Name)
			if f.Spec.Classes != 7 || len(f.Left) > 0 {
				t.Errorf("%s: %d classes, left over %q", row, f.Spec.Classes, f.Left)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", row, got, want)
		}
	}
}
