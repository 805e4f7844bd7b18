package main

import "strings"

// sectionError is a value that a section refuses: where it is, what is wrong, what would be right (or "").
type sectionError struct{ path, msg, hint string }

// sectionErrors collects what the sections say about their values.
func sectionErrors(cfg *Config) []sectionError {
	var all []sectionError
	add := func(section, path, msg, hint string) {
		if !strings.HasPrefix(path, section+".") { // a section may name its keys with or without its own name
			path = section + "." + path
		}
		all = append(all, sectionError{path, msg, hint})
	}
	for _, e := range cfg.Train.Validate() {
		add("train", e.Path, e.Msg, e.Hint)
	}
	return all
}
