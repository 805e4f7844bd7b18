package eval

import (
	"context"
	"errors"
	"testing"
)

func TestACancelledSequenceGivesNoValueWithoutItsError(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	blocked := make(chan struct{})
	var values []int
	var failed error
	for v, err := range ordered(ctx, 3, 2, func(i int) (int, error) {
		if i > 0 {
			cancel()
			<-blocked // a file that takes long to read
		}
		return i + 1, nil
	}) {
		if err != nil {
			failed = err
			close(blocked)
			break
		}
		values = append(values, v)
		if len(values) > 1 {
			close(blocked)
			break
		}
	}
	if !errors.Is(failed, context.Canceled) || len(values) > 1 {
		t.Errorf("values %v, error %v: want at most the first value, then context.Canceled", values, failed)
	}
}
