// Command resnet trains, evaluates and compares plain and residual networks on CPUs.
//
// A command is one file, cmd_NAME.go: its flags, the checks of the flags, a run function, and what
// it prints. What a command computes is in internal/experiment, and how a configuration is read in
// internal/config. Nothing outside this package prints, reads the environment or ends the process;
// results go to standard output, talk and progress to standard error.
//
// # How to add a command
//
// Write cmd_NAME.go, add its constructor to the list in commands.go, and a script to
// testdata/script.
package main
