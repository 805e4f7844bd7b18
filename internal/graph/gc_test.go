package graph_test

// Imported so that go.mod requires it directly, in a version that `go mod tidy` keeps: see row G1
// of docs/gorgonia.md.
import _ "go4.org/unsafe/assume-no-moving-gc"
