package main

import "testing"

func checkResolves(t *testing.T, name string, l *loaded) { t.Helper() }
