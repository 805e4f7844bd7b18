// Package graphtest holds suites for package graph. Check proves an operator, and a new one needs
// only a Case; RunMachine proves that something is a graph.Machine, and both machines pass it.
package graphtest
