package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"
)

// running is a service on a free port, and what ends it.
type running struct {
	url   string
	stop  context.CancelFunc
	ended chan error
}

func start(t *testing.T, load loader, delay, grace time.Duration) running {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	t.Cleanup(stop)
	ended := make(chan error, 1)
	service := newService(newPrices(load), delay, grace)
	go func() { ended <- service.run(ctx, listener) }()
	return running{url: "http://" + listener.Addr().String(), stop: stop, ended: ended}
}

// get returns the status of a path and its body, which is the error if there is no answer.
func (r running) get(path string) (int, string) {
	answer, err := http.Get(r.url + path)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err.Error()
	}
	return answer.StatusCode, string(body)
}

func (r running) wantStatus(t *testing.T, path string, want int) {
	t.Helper()
	if status, body := r.get(path); status != want {
		t.Fatalf("%s answers %d, not %d: %s", path, status, want, body)
	}
}

// waitFor asks again until a path has this status.
func (r running) waitFor(t *testing.T, path string, want int) {
	t.Helper()
	var status int
	for range 1000 {
		if status, _ = r.get(path); status == want {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("%s still answers %d, not %d", path, status, want)
}

func (r running) wantEnd(t *testing.T) error {
	t.Helper()
	select {
	case err := <-r.ended:
		return err
	case <-time.After(10 * time.Second):
		t.Fatal("the service does not end")
		return nil
	}
}

func TestServiceIsAliveAtOnceAndReadyOnceLoaded(t *testing.T) {
	mayLoad := make(chan struct{})
	service := start(t, func(ctx context.Context) (map[string]int, error) {
		<-mayLoad
		return map[string]int{"tea": 250}, nil
	}, 0, time.Second)

	service.wantStatus(t, "/healthz", http.StatusOK)
	service.wantStatus(t, "/readyz", http.StatusServiceUnavailable)
	service.wantStatus(t, "/price?item=tea", http.StatusServiceUnavailable)
	close(mayLoad)
	service.waitFor(t, "/readyz", http.StatusOK)
	service.wantStatus(t, "/price?item=tea", http.StatusOK)
	service.wantStatus(t, "/price?item=gold", http.StatusNotFound)
}

func TestPricesAreLoadedOnceByTheFirstWhoAsks(t *testing.T) {
	loads := make(chan struct{}, 10)
	service := start(t, func(context.Context) (map[string]int, error) {
		loads <- struct{}{}
		return map[string]int{"tea": 250}, nil
	}, 0, time.Second)

	service.wantStatus(t, "/healthz", http.StatusOK)
	if len(loads) != 0 {
		t.Fatal("the prices were loaded before anyone asked")
	}
	service.waitFor(t, "/readyz", http.StatusOK)
	service.wantStatus(t, "/price?item=tea", http.StatusOK)
	if len(loads) != 1 {
		t.Fatalf("the prices were loaded %d times", len(loads))
	}
}

func TestLoadingIsTriedAgainAfterAFailure(t *testing.T) {
	failed := false
	service := start(t, func(context.Context) (map[string]int, error) {
		if !failed {
			failed = true
			return nil, errors.New("no connection")
		}
		return map[string]int{"tea": 250}, nil
	}, 0, time.Second)

	service.waitFor(t, "/readyz", http.StatusOK)
}

func TestRequestsAreCountedAndTimedButProbesAndScrapesAreNot(t *testing.T) {
	service := start(t, slowly(0), 0, time.Second)
	service.waitFor(t, "/readyz", http.StatusOK)
	service.wantStatus(t, "/price?item=tea&delay=30ms", http.StatusOK)
	service.wantStatus(t, "/price?item=gold", http.StatusNotFound)

	_, text := service.get("/metrics")
	for _, line := range []string{
		`http_requests_total{code="200",method="get"} 1`,
		`http_requests_total{code="404",method="get"} 1`,
		`http_request_duration_seconds_bucket{le="0.025"} 1`,
		`http_request_duration_seconds_count 2`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no line `%s` in\n%s", line, text)
		}
	}
	for _, name := range []string{"go_goroutines", "process_cpu_seconds_total", "process_resident_memory_bytes"} {
		if !strings.Contains(text, "\n"+name+" ") {
			t.Errorf("no %s in\n%s", name, text)
		}
	}
}

func TestStoppingServiceIsNotReadyButStillAnswers(t *testing.T) {
	service := start(t, slowly(0), 500*time.Millisecond, time.Second)
	service.waitFor(t, "/readyz", http.StatusOK)

	service.stop()
	service.waitFor(t, "/readyz", http.StatusServiceUnavailable)
	service.wantStatus(t, "/healthz", http.StatusOK)
	service.wantStatus(t, "/price?item=tea", http.StatusOK)
	if err := service.wantEnd(t); err != nil {
		t.Fatal(err)
	}
	service.wantStatus(t, "/healthz", 0)
}

func TestRequestInFlightFinishesBeforeTheEnd(t *testing.T) {
	service := start(t, slowly(0), 500*time.Millisecond, 10*time.Second)
	service.waitFor(t, "/readyz", http.StatusOK)

	answered := make(chan int, 1)
	go func() {
		status, _ := service.get("/price?item=tea&delay=2s")
		answered <- status
	}()
	service.stop()
	if err := service.wantEnd(t); err != nil {
		t.Fatal(err)
	}
	if status := <-answered; status != http.StatusOK {
		t.Fatalf("the request in flight was answered with %d", status)
	}
}

func TestRequestThatOutlastsTheGraceIsCutOffAndReported(t *testing.T) {
	service := start(t, slowly(0), 500*time.Millisecond, 100*time.Millisecond)
	service.waitFor(t, "/readyz", http.StatusOK)

	answered := make(chan int, 1)
	go func() {
		status, _ := service.get("/price?item=tea&delay=9s")
		answered <- status
	}()
	service.stop()
	if err := service.wantEnd(t); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("ended with %v", err)
	}
	if status := <-answered; status != 0 {
		t.Fatalf("the request was answered with %d", status)
	}
}

func TestEndWhileLoadingLeavesNoGoroutine(t *testing.T) {
	http.DefaultClient.CloseIdleConnections()
	before := runtime.NumGoroutine()
	service := start(t, slowly(time.Hour), 0, time.Second)
	service.wantStatus(t, "/readyz", http.StatusServiceUnavailable)
	service.stop()
	if err := service.wantEnd(t); err != nil {
		t.Fatal(err)
	}
	http.DefaultClient.CloseIdleConnections()
	for range 1000 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}
