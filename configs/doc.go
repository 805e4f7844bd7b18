// Package configs holds the presets, experiments in YAML that are part of the binary, and finds an
// experiment by the name of a preset or by the path of a file.
//
// A preset named after a depth (cifar20, cifar-plain56) is the recipe of He et al. 2016, section
// 4.2; what the paper leaves open is marked in the file as ours. The files are read and checked by
// cmd/resnet; this package knows nothing of their keys.
//
// # How to add a preset
//
// Add NAME.yaml here, its first line a comment that says in one line what it is (`resnet config
// list` prints it). One test in cmd/resnet loads and resolves every file.
package configs
