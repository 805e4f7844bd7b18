package config

import "resnet/configs"

// Presets are the presets by name. One that a file of the same name in the working folder hides is
// left out.
func Presets() []*Loaded {
	var list []*Loaded
	for _, name := range configs.Names() {
		src, err := configs.Find(name)
		if err != nil || !src.Preset {
			continue
		}
		if l, err := Load(Input{File: name}); err == nil {
			list = append(list, l)
		}
	}
	return list
}
