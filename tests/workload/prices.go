package main

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// prices are what the service needs before it can answer, and they are expensive to load. In your service this may
// be a cache, a table or a model.
type prices struct {
	load loader
	// want starts loading, the first time it is called.
	want   func()
	wanted chan struct{}
	// cents by item, nil until loaded.
	cents atomic.Pointer[map[string]int]
}

type loader func(context.Context) (map[string]int, error)

func newPrices(load loader) *prices {
	wanted := make(chan struct{})
	return &prices{
		load:   load,
		wanted: wanted,
		want:   sync.OnceFunc(func() { close(wanted) }),
	}
}

// loaded says whether there are prices, and starts loading them if nobody has asked before.
func (p *prices) loaded() bool {
	p.want()
	return p.cents.Load() != nil
}

// of tells what an item costs, once loaded.
func (p *prices) of(item string) (int, bool) {
	cents, ok := (*p.cents.Load())[item]
	return cents, ok
}

// keep loads the prices when they are first wanted, and again every minute, until the context ends.
func (p *prices) keep(ctx context.Context) {
	select {
	case <-p.wanted:
	case <-ctx.Done():
		return
	}
	for {
		next := time.Minute
		if cents, err := p.load(ctx); err == nil {
			p.cents.Store(&cents)
		} else {
			slog.Warn("cannot load the prices", "error", err)
			next = time.Second
		}
		select {
		case <-time.After(next):
		case <-ctx.Done():
			return
		}
	}
}

// slowly is a loader that takes this long, as a real one would.
func slowly(duration time.Duration) loader {
	return func(ctx context.Context) (map[string]int, error) {
		select {
		case <-time.After(duration):
			return map[string]int{"coffee": 320, "tea": 250}, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
