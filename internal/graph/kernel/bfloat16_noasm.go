//go:build !amd64 || purego

package kernel

func detectBF16() []*bf16Kernels { return nil }
