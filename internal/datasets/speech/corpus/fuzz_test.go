package corpus

import "testing"

// FuzzFrontend: whatever a checkpoint says of its front end, it is refused or describes one that
// computes features and encodes to itself.
func FuzzFrontend(f *testing.F) {
	f.Add(DefaultConfig().Frontend.Encode())
	f.Add(`{"rate":8000,"bins":40,"low":20,"length_ms":25,"shift_ms":10,"deltas":2,"normalize":"speaker","variance":true}`)
	f.Add(`{"rate":1e9,"bins":-1}`)
	f.Fuzz(func(t *testing.T, text string) {
		o, err := DecodeFrontend(text)
		if err != nil {
			return
		}
		again, err := DecodeFrontend(o.Encode())
		if err != nil || again != o {
			t.Fatalf("%+v encodes to %+v, %v", o, again, err)
		}
		if err := o.Fbank().Check(); err != nil {
			t.Fatalf("%+v: %v", o, err)
		}
	})
}
