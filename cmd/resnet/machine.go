package main

// kernelsInUse names the instruction set that the kernels use on this machine.
func kernelsInUse() string { return "generic" }
