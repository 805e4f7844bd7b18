package weights

import (
	"regexp"
	"slices"
	"strconv"
)

// firstOfStage is the name of the first convolution of a stage that has a number for a name:
// nn.Sequential(*list(resnet50().children())[:-1]) calls layer1 4.
var firstOfStage = regexp.MustCompile(`^((?:.*\.)?)(\d{1,3})\.0\.conv1\.weight$`)

// firstOfLayer1 is that of a stage with torchvision's name.
var firstOfLayer1 = regexp.MustCompile(`^((?:.*\.)?)layer1\.0\.conv1\.weight$`)

// stems are names of a Sequential of the layers before the first stage.
var stems = []string{"layer0", "stem"}

// deepStem are the layers of a Sequential of three convolutions, as mmpretrain's ResNet-D has them.
var deepStem = map[string]string{"0": "conv1.0.", "1": "conv1.1.", "3": "conv1.3.", "4": "conv1.4.", "6": "conv1.6.", "7": "bn1."}

// sequentialNames are the names of layers by number of a residual network whose layers were put
// into a Sequential, and ours for them, both with a point behind: of the whole network (0. becomes
// conv1., 4. layer1.), or of its stem.
func sequentialNames(list []Tensor) map[string]string {
	rank := map[string]int{}
	stages := map[string][]int{}
	var prefixes []string // of networks that have layer1
	for _, t := range list {
		rank[t.Name] = len(t.Shape)
		if m := firstOfStage.FindStringSubmatch(t.Name); m != nil {
			n, _ := strconv.Atoi(m[2])
			stages[m[1]] = append(stages[m[1]], n)
		}
		if m := firstOfLayer1.FindStringSubmatch(t.Name); m != nil {
			prefixes = append(prefixes, m[1])
		}
	}
	isStem := func(prefix string) bool { return rank[prefix+"0.weight"] == 4 && rank[prefix+"1.weight"] == 1 }
	ours := map[string]string{}
	for prefix, numbers := range stages {
		slices.Sort(numbers)
		last := numbers[len(numbers)-1]
		if numbers[0] < 2 || last-numbers[0] != len(numbers)-1 || !isStem(prefix) {
			continue
		}
		ours[prefix+"0."], ours[prefix+"1."] = prefix+"conv1.", prefix+"bn1."
		for i, n := range numbers {
			ours[prefix+strconv.Itoa(n)+"."] = prefix + "layer" + strconv.Itoa(i+1) + "."
		}
		for n := last + 1; n < last+4; n++ { // behind pooling, Flatten and Dropout
			if layer := prefix + strconv.Itoa(n) + "."; rank[layer+"weight"] == 2 {
				ours[layer] = prefix + "fc."
				break
			}
		}
	}
	for _, prefix := range prefixes {
		for _, stem := range stems {
			stem = prefix + stem + "."
			switch {
			case !isStem(stem):
			case rank[stem+"3.weight"] == 4:
				for number, name := range deepStem {
					ours[stem+number+"."] = prefix + name
				}
			default:
				ours[stem+"0."], ours[stem+"1."] = prefix+"conv1.", prefix+"bn1."
			}
		}
	}
	return ours
}

// layerName is one of names that begins a tensor's name, the longest first, or "".
func layerName(name string, names map[string]string) string {
	for i := len(name) - 1; i >= 0; i-- {
		if name[i] == '.' && names[name[:i+1]] != "" {
			return name[:i+1]
		}
	}
	return ""
}
