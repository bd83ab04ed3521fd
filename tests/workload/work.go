package main

import (
	"net/http"
	"time"
)

// work makes a request as slow as it asks for, so that autoscaling can be tried: /price?item=tea&delay=50ms&cpu=5ms
// waits for 50 ms and keeps a processor busy for 5 ms. A real service has no need of this.
func work(r *http.Request) {
	select {
	case <-time.After(duration(r, "delay")):
	case <-r.Context().Done():
	}
	for end := time.Now().Add(duration(r, "cpu")); time.Now().Before(end); {
	}
}

// duration reads a parameter such as 50ms; it is 0 if missing or not a duration, and 10 s at most.
func duration(r *http.Request, parameter string) time.Duration {
	value, err := time.ParseDuration(r.FormValue(parameter))
	if err != nil {
		return 0
	}
	return min(value, 10*time.Second)
}
