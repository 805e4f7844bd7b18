// Package experiment is what a command works on: an experiment made from a configuration (its data,
// network, plan of updates and run folder), a trained network out of a checkpoint, a comparison of
// several trainings, and what is measured or predicted with them.
//
// Images and utterances stand behind one interface, data: plan, loader, trainer, evaluator and
// metadata of each are in images.go and sequences.go, and nothing else asks which of the two it is.
//
// The package prints nothing and reads no environment. What the process lends to it is an
// Environment; remarks go to Environment.Say, and the course of a training to a Watcher.
//
// # How to add a kind of data
//
// Write a file with a type that implements data, and let open choose it.
package experiment
