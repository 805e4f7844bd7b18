package experiment

import "testing"

func TestTheSlowerOfNetworkAndDataIsTheBottleneck(t *testing.T) {
	for _, c := range []struct {
		network, data, percent float64
		want                   string
	}{{50, 400, 12.5, "network"}, {400, 400, 100, "network"}, {500, 400, 125, "data"}} {
		if n := compareWithData("resnet18", c.network, c.data); n.DataPercent != c.percent || n.Bottleneck != c.want {
			t.Errorf("%g images/s beside %g: %+v", c.network, c.data, n)
		}
	}
}
