package kernel

import "testing"

// BenchmarkTransform reports the nanoseconds of one tile of 16 channels, data in cache.
func BenchmarkTransform(b *testing.B) {
	const tiles, plane, row = 8, 32*16 + 16, 34 * 16
	src, dst := Alloc(36*plane), Alloc(36*plane)
	t := &Transform{Src: src, Dst: dst, SrcRow: row, Plane: plane, Tiles: tiles, Rows: 1}
	for _, k := range []struct {
		name string
		f    func()
	}{{"input", t.Input}, {"output", t.Output}, {"spread", t.Spread}} {
		b.Run(k.name, func(b *testing.B) {
			for range b.N {
				k.f()
			}
			b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(b.N)/tiles, "ns/tile")
		})
	}
}
