package datasets

import (
	"encoding/json"
	"strconv"
	"strings"
)

// ClassList gives the class names in a text, one a line. What follows a tab is ignored, and so is
// the byte-order mark that Windows' editors write. JSON that lists or numbers classes is read, too,
// as training scripts write it: ["cat", "dog"], {"cat": 0, "dog": 1}, {"0": "cat", "1": "dog"} and
// Keras' {"0": ["n01440764", "tench"]}, of which the first name counts.
func ClassList(text string) []string {
	text = strings.TrimPrefix(text, "\ufeff")
	if names := classIndex(text); names != nil {
		return names
	}
	var names []string
	for line := range strings.Lines(text) {
		name, _, _ := strings.Cut(line, "\t")
		names = append(names, strings.TrimRight(name, "\r\n"))
	}
	return names
}

// classIndex reads JSON that gives each number from 0 on one name; nil is anything else.
func classIndex(text string) []string {
	if trimmed := strings.TrimSpace(text); !strings.HasPrefix(trimmed, "{") && !strings.HasPrefix(trimmed, "[") {
		return nil
	}
	var list []string
	if json.Unmarshal([]byte(text), &list) == nil {
		return list
	}
	var members map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &members) != nil {
		return nil
	}
	names := make([]string, len(members))
	given := make([]bool, len(members))
	for key, value := range members {
		var name string
		var several []string
		k, err := strconv.Atoi(key)
		switch {
		case err == nil && json.Unmarshal(value, &name) == nil:
		case err == nil && json.Unmarshal(value, &several) == nil && len(several) > 0:
			name = several[0]
		case json.Unmarshal(value, &k) == nil:
			name = key
		default:
			return nil
		}
		if k < 0 || k >= len(names) || given[k] {
			return nil
		}
		names[k], given[k] = name, true
	}
	return names
}

// Class names, in the order of their labels.
var (
	cifar10Classes = strings.Fields("airplane automobile bird cat deer dog frog horse ship truck")

	cifar100Classes = strings.Fields(`apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus
		butterfly camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur
		dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster
		man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree
		plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail
		snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip
		turtle wardrobe whale willow_tree wolf woman worm`)

	fashionClasses = []string{"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"}

	digitClasses = strings.Fields("0 1 2 3 4 5 6 7 8 9")
)
