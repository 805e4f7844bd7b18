// Package serve answers over HTTP what is on an image.
//
//	POST /predict   the bytes of an image file, or a form with files; answered with JSON
//	GET  /          a page to drop an image on
//	GET  /healthz   200 while requests are taken, 503 while the server ends
//	GET  /metrics   for Prometheus
//
// What a request may take is bounded: its size, the bytes of all requests together, the time of its
// body, and how many are worked on. What is over a bound is answered with 4xx, as is an image that
// does not decode.
//
// Live serves another page: that of a training, which grows by server-sent events.
//
// The package knows a Classifier and no network.
package serve
