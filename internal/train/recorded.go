package train

import "maps"

// Recorded is what a checkpoint keeps of a configuration: the values, by flattened key, that
// results depend on, in the form that DiffConfig compares. Keys that may always change are left
// out: what they say differs from machine to machine.
func Recorded(config map[string]any) map[string]string {
	all := map[string]string{}
	flatten("", config, all)
	maps.DeleteFunc(all, func(key, _ string) bool { return safety(key) == Always })
	return all
}

// WithRecorded is a configuration with the values that Recorded kept in the place of its own, for
// DiffConfig and CheckResume. Keys that were not recorded keep theirs if they may always change,
// and are absent otherwise.
func WithRecorded(config map[string]any, recorded map[string]string) map[string]any {
	flat := map[string]string{}
	flatten("", config, flat)
	out := map[string]any{}
	for key, value := range flat {
		if safety(key) == Always {
			out[key] = value
		}
	}
	for key, value := range recorded {
		out[key] = value
	}
	return out
}
