package eval

import (
	"strings"
	"testing"
)

func TestPointsHoldEveryMeasurementAndNoFormula(t *testing.T) {
	v := func(f float64) *float64 { return &f }
	var b strings.Builder
	err := writePoints(&b, []Run{
		{Name: "plain20-seed1", History: History{{Step: 10, Epoch: v(1), TrainError: v(33.25)}, {Step: 20, TestError: v(0.1)}}},
		{Name: "=cmd|'x'\x1b[31m", History: History{{Step: 1}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := "run,step,epoch,rate,train_loss,train_error,val_loss,val_error,val_top5,test_loss,test_error,test_top5\n" +
		"plain20-seed1,10,1,,,33.25,,,,,,\nplain20-seed1,20,,,,,,,,,0.1,\n'=cmd|'x'\\x1b[31m,1,,,,,,,,,,\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}
