package text

import (
	"slices"
	"strings"
)

// ShortKeys are dotted keys by their last parts, or as many of them as tell a key from the others:
// rate of train.schedule.rate alone, schedule.rate beside train.schedule.warmup.rate.
func ShortKeys(keys []string) []string {
	list := slices.Clone(keys)
	for k, key := range keys {
		for i := strings.LastIndexByte(key, '.'); i >= 0; i = strings.LastIndexByte(key[:i], '.') {
			if !slices.ContainsFunc(keys, func(other string) bool { return other != key && strings.HasSuffix(other, key[i:]) }) {
				list[k] = key[i+1:]
				break
			}
		}
	}
	return list
}
