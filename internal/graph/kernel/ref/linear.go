package ref

// Linear is y = x wᵀ + b. y [N, K], x [N, C], w [K, C], b [K] or nil.
func Linear[T Float](y, x, w, b []T, n, c, k int) {
	for i := range n {
		row := x[i*c:][:c]
		for j := range k {
			var sum T
			for l, v := range w[j*c:][:c] {
				sum += v * row[l]
			}
			if b != nil {
				sum += b[j]
			}
			y[i*k+j] = sum
		}
	}
}

// LinearInputGrad is dx = dy w. dx [N, C], w [K, C], dy [N, K].
func LinearInputGrad[T Float](dx, w, dy []T, n, c, k int) {
	clear(dx[:n*c])
	for i := range n {
		row := dx[i*c:][:c]
		for j := range k {
			d := dy[i*k+j]
			for l, v := range w[j*c:][:c] {
				row[l] += d * v
			}
		}
	}
}

// LinearWeightGrad is dw = dyᵀ x. dw [K, C], x [N, C], dy [N, K].
func LinearWeightGrad[T Float](dw, x, dy []T, n, c, k int) {
	clear(dw[:k*c])
	for i := range n {
		row := x[i*c:][:c]
		for j := range k {
			d := dy[i*k+j]
			out := dw[j*c:][:c]
			for l, v := range row {
				out[l] += d * v
			}
		}
	}
}

// LinearBiasGrad is the sum of dy over the batch. db [K], dy [N, K].
func LinearBiasGrad[T Float](db, dy []T, n, k int) {
	for j := range k {
		var sum float64
		for i := range n {
			sum += float64(dy[i*k+j])
		}
		db[j] = T(sum)
	}
}
