package ref

// PyramidShape is the geometry of spatial pyramid pooling of every window of Window pixels a side
// of a map x [N, C, H, W].
type PyramidShape struct {
	ImageShape
	Window int
	Levels []int
}

// OutH is the number of windows along the height.
func (s PyramidShape) OutH() int { return s.H - s.Window + 1 }

// OutW is the number of windows along the width.
func (s PyramidShape) OutW() int { return s.W - s.Window + 1 }

// Bins is the number of bins of all levels.
func (s PyramidShape) Bins() int {
	n := 0
	for _, l := range s.Levels {
		n += l * l
	}
	return n
}

// PyramidWindows takes, at each position, the largest value of each bin of the window that begins
// there. Bins of level n have ceil(Window/n) pixels a side and lie floor(Window/n) apart (He et al.
// 2014, section 2.3). y [N, C·Σn², OutH, OutW]: the levels one after another, in each of them
// channel by channel, bins in row order, as MaxPool and Flatten give them.
func PyramidWindows[T Float](y, x []T, g PyramidShape) {
	oh, ow := g.OutH(), g.OutW()
	out := 0
	for n := range g.N {
		for _, level := range g.Levels {
			size, step := (g.Window+level-1)/level, g.Window/level
			for c := range g.C {
				plane := (n*g.C + c) * g.Area()
				for bin := range level * level {
					top, left := bin/level*step, bin%level*step
					for i := range oh {
						for j := range ow {
							at := [2]int{i + top, j + left}
							y[out] = x[argmax(x, plane, g.W, at[0], at[0]+size, at[1], at[1]+size)]
							out++
						}
					}
				}
			}
		}
	}
}
