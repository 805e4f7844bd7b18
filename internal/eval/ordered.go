package eval

import (
	"context"
	"iter"
	"sync"
)

// ordered calls f for 0 to n-1 in so many goroutines and gives the results in order, at most
// 2·workers of them ahead of the reader. It ends after the first error, and when ctx is done; when
// it returns, no goroutine is left.
func ordered[T any](ctx context.Context, n, workers int, f func(i int) (T, error)) iter.Seq2[T, error] {
	type result struct {
		value T
		err   error
	}
	return func(yield func(T, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		workers = max(1, min(workers, n))
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()
		type job struct {
			i  int
			to chan<- result
		}
		jobs := make(chan job)
		queue := make(chan chan result, 2*workers)
		for range workers {
			wg.Go(func() {
				for j := range jobs {
					v, err := f(j.i)
					j.to <- result{v, err}
				}
			})
		}
		wg.Go(func() {
			defer close(queue)
			defer close(jobs)
			for i := range n {
				to := make(chan result, 1)
				select {
				case queue <- to:
				case <-ctx.Done():
					return
				}
				select {
				case jobs <- job{i, to}:
				case <-ctx.Done():
					return
				}
			}
		})
		for to := range queue {
			var r result
			select {
			case r = <-to:
			case <-ctx.Done():
				r.err = ctx.Err()
			}
			if !yield(r.value, r.err) || r.err != nil {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			var zero T
			yield(zero, err)
		}
	}
}

// ahead runs a sequence in a goroutine of its own, so that the next element is being made while the
// reader works on this one.
func ahead[T any](ctx context.Context, seq func(ctx context.Context) iter.Seq2[T, error]) iter.Seq2[T, error] {
	type result struct {
		value T
		err   error
	}
	return func(yield func(T, error) bool) {
		inner, cancel := context.WithCancel(ctx)
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()
		results := make(chan result)
		wg.Go(func() {
			defer close(results)
			for v, err := range seq(inner) {
				select {
				case results <- result{v, err}:
				case <-inner.Done():
					return
				}
			}
		})
		for r := range results {
			if !yield(r.value, r.err) {
				return
			}
		}
		if err := ctx.Err(); err != nil { // the goroutine may have ended without sending it
			var zero T
			yield(zero, err)
		}
	}
}
