package eval

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"

	"resnet/internal/datasets"
	"resnet/internal/text"
)

// A LabelMap gives the output of a network for each class of a data set. The zero value is for a
// network's own data set: class k is output k.
type LabelMap struct {
	// Outputs [classes of the data set] are the outputs; -1 where the network has none.
	Outputs []int
	// Missing are the classes of the data set that the network has no output for.
	Missing []string
	// Note says what was assumed, in a sentence without a full stop; "" where nothing was.
	Note string
}

// Of is the output for a class of the data set, or -1.
func (l LabelMap) Of(class int) int {
	if l.Outputs == nil {
		return class
	}
	if class < 0 || class >= len(l.Outputs) {
		return -1
	}
	return l.Outputs[class]
}

// MapLabels finds the classes of a data set among the outputs of a network, by name, in any order
// and any subset. network has a name for each output, "" where it is not known; data has one for
// each class. WordNet IDs and torchvision's names of ImageNet's classes stand for each other, and
// the outputs of a network of 1000 classes without names are ImageNet's where the data set has
// WordNet IDs.
//
// A network without names is measured by position where it has as many outputs as the data set has
// classes, with a Note. It fails with ErrModel for another number of classes, for names that are
// numbers in the order of text, where no class is found, and where two outputs have one name.
func MapLabels(network, data []string) (LabelMap, error) {
	named := slices.ContainsFunc(network, func(name string) bool { return name != "" })
	outputs, classes := wordNet(network), wordNet(data)
	if !named {
		switch {
		case len(network) == len(datasets.ImageNetClasses()) && (slices.ContainsFunc(data, isWordNet) || slices.Equal(data, datasets.ClassNames("imagenet"))):
			outputs = wordNet(datasets.ClassNames("imagenet"))
		case len(network) == len(data) && numbersOutOfOrder(data):
			return LabelMap{}, fmt.Errorf("%w: it does not name its classes, and the data set's are numbers in the order of text (%s), which may or may not be that of the outputs: %s",
				ErrModel, someNames(data), howToName)
		case len(network) == len(data):
			l := LabelMap{Note: "the network does not name its classes: those of the data set are taken in their order"}
			for k := range data {
				l.Outputs = append(l.Outputs, k)
			}
			return l, nil
		default:
			return LabelMap{}, fmt.Errorf("%w: it does not name its %d classes, and the data set has %d (%s): %s",
				ErrModel, len(network), len(data), someNames(data), howToName)
		}
	}
	l := LabelMap{Outputs: make([]int, len(data))}
	for k, name := range classes {
		at := slices.Index(outputs, name)
		if name == "" {
			at = -1
		}
		if l.Outputs[k] = at; at < 0 {
			l.Missing = append(l.Missing, data[k])
			continue
		}
		if slices.Contains(outputs[at+1:], name) {
			return LabelMap{}, fmt.Errorf("%w: two of its classes are called %q, and the data set has one of that name: name them apart with --classes-file FILE", ErrModel, text.Printable(data[k]))
		}
		if first := slices.Index(classes, name); first < k {
			return LabelMap{}, fmt.Errorf("%w: the classes %q and %q of the data set are the same one", ErrModel, text.Printable(data[first]), text.Printable(data[k]))
		}
	}
	if len(l.Missing) == len(data) {
		return LabelMap{}, fmt.Errorf("%w: it has none of the data set's classes (%s); its own are %s: measure it on the data set that it was trained on, or %s",
			ErrModel, someNames(data), someNames(network), howToName)
	}
	return l, nil
}

// howToName is the remedy where names are missing.
const howToName = "name its classes with --classes-file FILE, or in classes.txt beside the data, one a line in the order of the outputs"

// numbersOutOfOrder reports whether all names are numbers, and not in ascending order: 0, 1, 10, 2.
func numbersOutOfOrder(names []string) bool {
	ordered, last := true, -1
	for _, name := range names {
		n, err := strconv.Atoi(name)
		if err != nil {
			return false
		}
		ordered = ordered && n > last
		last = n
	}
	return !ordered
}

// wordNet gives ImageNet's classes their WordNet IDs, which are unique; other names stay. Two pairs
// of classes share a name: alone such a name stays too.
func wordNet(names []string) []string {
	known := datasets.ImageNetClasses()
	whole := slices.Equal(names, datasets.ClassNames("imagenet"))
	ids := map[string]string{}
	for _, c := range known {
		if _, twice := ids[c.Name]; twice {
			ids[c.Name] = c.Name
			continue
		}
		ids[c.Name] = c.ID
	}
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = norm.NFC.String(name) // a folder of a Mac's has another form
	}
	for i, name := range names {
		if whole {
			out[i] = known[i].ID
		} else if id, ok := ids[name]; ok {
			out[i] = id
		}
	}
	return out
}

// isWordNet reports whether a name is the WordNet ID of one of ImageNet's classes.
func isWordNet(name string) bool {
	_, ok := slices.BinarySearchFunc(datasets.ImageNetClasses(), name, func(c datasets.Class, id string) int { return strings.Compare(c.ID, id) })
	return ok
}

// maxNames is how many names an error lists.
const maxNames = 10

func someNames(names []string) string {
	list := make([]string, 0, maxNames)
	for _, name := range names[:min(len(names), maxNames)] {
		list = append(list, text.Printable(name))
	}
	text := strings.Join(list, ", ")
	if more := len(names) - maxNames; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// covers fails with ErrLabel, listing the classes that the network lacks, if any of the first n
// images of a split is of one.
func (l LabelMap) covers(ds *datasets.Dataset, s datasets.Split, n int) error {
	if len(l.Missing) == 0 {
		return nil
	}
	lacking := map[int]bool{}
	for i := range n {
		if k := ds.Label(s, i); l.Of(k) < 0 {
			lacking[k] = true
		}
	}
	if len(lacking) == 0 {
		return nil
	}
	var names []string
	for k, name := range ds.Info().Classes {
		if lacking[k] {
			names = append(names, name)
		}
	}
	return fmt.Errorf("%w: it lacks %d of the data set's classes (%s): leave their folders out", ErrLabel, len(names), someNames(names))
}

// ClassNames has a name for each output of the network, "" where it is not known: the file's, or
// those of the data set that it was trained on.
func (m *Model) ClassNames() []string {
	names := m.Classes
	if known := datasets.ClassNames(m.Dataset); len(names) == 0 && len(known) == m.Spec.Classes {
		names = known
	}
	out := make([]string, m.Spec.Classes)
	copy(out, names)
	return out
}

// Labels maps the classes of a data set to the network's outputs: see MapLabels.
func (m *Model) Labels(info datasets.Info) (LabelMap, error) {
	l, err := MapLabels(m.ClassNames(), info.Classes)
	if err != nil {
		return l, fmt.Errorf("%s: %s: %w", m.Path, text.Printable(info.Name), err)
	}
	return l, nil
}
