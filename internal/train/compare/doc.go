// Package compare plans sets of trainings that belong together: plain and residual networks of
// several depths and seeds. It decides which there are, what they are called and how they are
// configured; training and reporting are the caller's.
package compare
