// Package graphtest checks operators of package graph: Check holds for every operator, and a new
// one needs only a Case.
package graphtest
