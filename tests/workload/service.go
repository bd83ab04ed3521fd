package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// service answers what an item costs.
type service struct {
	prices   *prices
	metrics  *metrics
	stopping atomic.Bool
	// delay is the time that others have to notice that the service is not ready any more.
	delay time.Duration
	// grace is the time that requests in flight have to finish.
	grace time.Duration
}

func newService(prices *prices, delay, grace time.Duration) *service {
	return &service{prices: prices, metrics: newMetrics(), delay: delay, grace: grace}
}

// run serves until the context ends, and then stops in an order that loses no request.
func (s *service) run(ctx context.Context, listener net.Listener) error {
	// What runs in the background outlives the signal, since requests in flight need it, but not this function.
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var tasks sync.WaitGroup
	defer tasks.Wait()
	defer cancel()
	tasks.Go(func() { s.prices.keep(background) })

	server := &http.Server{Handler: s.routes(), ReadHeaderTimeout: 5 * time.Second}
	failed := make(chan error, 1)
	tasks.Go(func() { failed <- server.Serve(listener) })

	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return s.stop(server)
	}
}

// stop first says that the service is not ready, then waits until nobody sends it requests any more, then
// closes the listener and lets the requests in flight finish.
func (s *service) stop(server *http.Server) error {
	s.stopping.Store(true)
	time.Sleep(s.delay)

	deadline, cancel := context.WithTimeout(context.Background(), s.grace)
	defer cancel()
	if err := server.Shutdown(deadline); err != nil {
		server.Close()
		return fmt.Errorf("requests were still in flight: %w", err)
	}
	return nil
}

func (s *service) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.Handle("GET /metrics", s.metrics.handler())
	// Only the service's own work is counted: probes and scrapes are not traffic.
	mux.Handle("GET /price", s.metrics.counted(http.HandlerFunc(s.price)))
	return mux
}

// readyz is about this process alone. If it asked a database that is down, all replicas would be taken out at once.
func (s *service) readyz(w http.ResponseWriter, _ *http.Request) {
	switch {
	case s.stopping.Load():
		http.Error(w, "stopping", http.StatusServiceUnavailable)
	case !s.prices.loaded():
		http.Error(w, "loading prices", http.StatusServiceUnavailable)
	}
}

// price answers what an item costs: /price?item=tea.
func (s *service) price(w http.ResponseWriter, r *http.Request) {
	work(r)
	if !s.prices.loaded() {
		http.Error(w, "loading prices", http.StatusServiceUnavailable)
		return
	}
	cents, ok := s.prices.of(r.FormValue("item"))
	if !ok {
		http.Error(w, "no such item", http.StatusNotFound)
		return
	}
	fmt.Fprintf(w, "%d.%02d\n", cents/100, cents%100)
}
