// Command resnet trains, evaluates and compares plain and residual networks on CPUs.
//
// Nothing outside this package prints, reads the environment or ends the process. A command is one
// file, cmd_NAME.go: an options struct, a constructor newNameCmd and a run function; results go to
// standard output, talk and progress to standard error.
//
// # Configuration
//
// An experiment is one struct, Config, made of the sections of the packages below. A file is read
// in two passes: the YAML tree is walked against the struct (schema.go, walk.go, scalar.go), which
// finds every unknown key, wrong type and duplicate with its line and column; then viper merges
// flags over environment over file over defaults (config.go, layers.go) and the sections' own
// Validate check the values, whose positions are looked up by path. All errors are reported at
// once.
//
// # How to add a command
//
// Write cmd_NAME.go, add its constructor to the list in commands.go, and a script to
// testdata/script.
package main
