package extract

import (
	"context"
	"errors"
	"testing"
	"time"

	"resnet/internal/datasets/speech/recording"
)

// TestAStopAtAnyMomentEndsTheJob stops while a result is on its way to whoever waits for it.
func TestAStopAtAnyMomentEndsTheJob(t *testing.T) {
	j := Job{Threads: 1}
	for range 300 {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		second := false // of the one worker
		go func() {
			done <- j.each(ctx, make([]recording.Recording, 3), 0, 1, func(recording.Recording) result {
				if second {
					cancel()
				}
				second = true
				return result{}
			}, func(recording.Recording, result) error {
				<-ctx.Done()
				time.Sleep(100 * time.Microsecond) // the second result waits as well as the stop
				return nil
			})
		}()
		select {
		case err := <-done:
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("the job does not end")
		}
	}
}
