package main

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are what an autoscaler can go by. Namespace, pod and service are no labels here: the scrape attaches them.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "http_requests_total",
			Help: "Requests answered, by status code and method.",
		}, []string{"code", "method"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "http_request_duration_seconds",
			Help: "Time from the arrival of a request to the end of its answer.",
			// Between two bounds a quantile is a guess, so they lie close where the target is: at 250 ms.
			Buckets: []float64{.01, .025, .05, .1, .15, .2, .25, .3, .4, .5, 1, 2.5, 5},
		}, nil),
	}
	m.registry.MustRegister(
		m.requests,
		m.duration,
		// go_goroutines, process_cpu_seconds_total, process_resident_memory_bytes and more.
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	// Series that begin at 0 let the first requests count: a rate cannot see what was there at the first scrape.
	m.requests.WithLabelValues("200", "get")
	m.duration.WithLabelValues()
	return m
}

// counted counts and times the requests of a handler.
func (m *metrics) counted(next http.Handler) http.Handler {
	return promhttp.InstrumentHandlerDuration(m.duration, promhttp.InstrumentHandlerCounter(m.requests, next))
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
