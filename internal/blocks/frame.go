package blocks

import (
	"strconv"
	"strings"
)

// Block is the building block that a layer belongs to, "layer1.0" or "blstm.0", or "".
func (l Layer) Block() string { return frameOf(l.Name) }

// frameOf is Block of the layer of that name.
func frameOf(layer string) string {
	parts := strings.Split(layer, ".")
	if len(parts) < 3 {
		return ""
	}
	if _, err := strconv.Atoi(parts[1]); err != nil {
		return ""
	}
	return parts[0] + "." + parts[1]
}
