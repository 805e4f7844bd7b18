package serve

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are what Prometheus reads.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  prometheus.Histogram
	batch    prometheus.Histogram
	waiting  prometheus.Gauge
	images   prometheus.Counter
	bad      prometheus.Counter
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "resnet_requests_total", Help: "Requests to /predict by status."}, []string{"code"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "resnet_request_seconds", Help: "Time from a request's header to its answer.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}),
		batch: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "resnet_batch_images", Help: "Images computed together.", Buckets: prometheus.ExponentialBuckets(1, 2, 9),
		}),
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{Name: "resnet_requests_in_hand", Help: "Requests being worked on."}),
		images:  prometheus.NewCounter(prometheus.CounterOpts{Name: "resnet_images_total", Help: "Images classified."}),
		bad:     prometheus.NewCounter(prometheus.CounterOpts{Name: "resnet_bad_images_total", Help: "Images that do not decode."}),
	}
	m.registry.MustRegister(m.requests, m.seconds, m.batch, m.waiting, m.images, m.bad,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
