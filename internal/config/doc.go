// Package config is the configuration of an experiment: one tree, made of the sections of the
// packages that carry them out.
//
// A file is read in two passes. The YAML tree is walked against the struct (schema.go, walk.go,
// scalar.go), which finds every unknown key, wrong type and duplicate with its line and column.
// Then viper merges flags over environment over file over defaults (config.go, layers.go), and the
// sections' own Validate check the values, whose positions are looked up by path (sections.go). All
// mistakes are reported at once, as one *Error.
//
// # How to add a key
//
// Add a field with the tags mapstructure, yaml and doc to the section's struct in its package, its
// default to that package's DefaultConfig and its check to Validate. Nothing is written here: the
// schema is derived from the struct.
package config
