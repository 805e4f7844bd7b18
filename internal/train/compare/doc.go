// Package compare plans sets of trainings that belong together: plain and residual networks of
// several depths and seeds. It decides which there are, what they are called and how far each has
// come; training and reporting are the caller's.
package compare
