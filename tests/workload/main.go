// Command workload is a service that autoscaling works well with: it counts its requests, tells when it is ready,
// and loses none when it stops. The guide docs/guides/scale-a-go-service.md goes through it.
package main

import (
	"context"
	"flag"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	address := flag.String("address", ":8080", "where to listen; port 0 takes a free one")
	loading := flag.Duration("loading", 0, "how long loading the prices takes")
	delay := flag.Duration("stop-delay", 5*time.Second, "time between not being ready any more and closing the listener")
	grace := flag.Duration("stop-grace", 20*time.Second, "time for requests in flight to finish after that")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	// A second signal ends the process at once.
	context.AfterFunc(ctx, stop)

	listener, err := net.Listen("tcp", *address)
	if err != nil {
		slog.Error("cannot listen", "error", err)
		os.Exit(1)
	}
	slog.Info("listening", "address", listener.Addr().String())

	service := newService(newPrices(slowly(*loading)), *delay, *grace)
	if err := service.run(ctx, listener); err != nil {
		slog.Error("stopped before its time", "error", err)
		os.Exit(1)
	}
	slog.Info("stopped")
}
