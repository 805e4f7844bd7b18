package experiment

import (
	"math"

	"resnet/internal/train/collective"
)

// Network is one that joins machines.
type Network struct {
	Gigabits float64 // a second, on the line
	// Latency is what a message takes however short it is, in seconds.
	Latency float64
	// Processor is what copying and adding take for a byte that is sent, in seconds, or 0.
	Processor float64
}

const (
	// payload is the share of Ethernet's line rate that is left for TCP's data: of 1,538 bytes of a
	// full frame with its gap, 1,460.
	payload = 1460. / 1538
	// tcpLatency is our assumption of what a message takes between two machines over TCP.
	tcpLatency = 30e-6
	// sumBucket is how many bytes of gradients are sent together at most: the usual
	// distributed.bucket.
	sumBucket = 8 << 20
)

// scaleNetworks are those of a report.
var scaleNetworks = []Network{{Gigabits: 10, Latency: tcpLatency}, {Gigabits: 25, Latency: tcpLatency}, {Gigabits: 100, Latency: tcpLatency}}

// ringSeconds is how long n machines take to sum vectors of so many bytes. Each sends and receives
// (n-1)/n of the vector twice, which is the least (Patarasuk and Yuan 2009), in 2·(n-1) messages:
//
//	2·(n-1)/n · bytes · (1/rate + processor) + 2·(n-1)·latency
//
// An all-to-all and an all-gather have the same traffic.
func (w Network) ringSeconds(n int, bytes float64) float64 {
	return ringBytes(n, bytes)*(1/(w.Gigabits*1e9/8*payload)+w.Processor) + 2*float64(n-1)*w.Latency
}

// ringBytes is what each of n machines sends to sum vectors of so many bytes.
func ringBytes(n int, bytes float64) float64 {
	k := float64(n)
	return 2 * (k - 1) / k * bytes
}

// Efficiency is the share of time that n machines compute, of updates that take each of them so
// many seconds and whose gradients of so many bytes are summed afterwards; and where they are
// summed in buckets beside the last so many seconds, the backward pass: then what exceeds these,
// but at least the last bucket, is waited for.
func (w Network) Efficiency(n int, seconds, backward, bytes float64) (after, beside float64) {
	if n == 1 {
		return 1, 1
	}
	buckets := math.Max(1, math.Ceil(bytes/float64(4*collective.Bucket(int(bytes/4), n, sumBucket/4))))
	one := w.ringSeconds(n, bytes/buckets)
	wait := math.Max(one, buckets*one-backward)
	return seconds / (seconds + w.ringSeconds(n, bytes)), seconds / (seconds + wait)
}
