package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// run starts the cluster and obeys orders until it is told to end.
func run(arguments []string) error {
	settings, err := parse(arguments)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	dir, remove, err := home(settings.dir)
	if err != nil {
		return err
	}
	defer remove()
	settings.dir = dir

	asked, end := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer end()
	orders := readOrders(end)

	cluster, err := startCluster(asked, settings)
	defer cluster.stop()
	if err == nil {
		answer(cluster.ready)
		err = cluster.obey(asked, orders)
	}
	if asked.Err() != nil {
		return nil
	}
	return err
}

// readOrders gives the lines of stdin, and calls `end` after the last.
func readOrders(end func()) <-chan string {
	orders := make(chan string)
	go func() {
		defer end()
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			orders <- lines.Text()
		}
	}()
	return orders
}

// obey follows orders until the end is asked for or a child ends by itself.
func (c *Cluster) obey(asked context.Context, orders <-chan string) error {
	for {
		select {
		case <-asked.Done():
			return asked.Err()
		case end := <-c.ends:
			if end.child.ended == end.ended {
				return end.child.unexpected()
			}
		case order := <-orders:
			if err := c.follow(asked, order); err != nil {
				answer(map[string]string{"order": order, "error": err.Error()})
			} else {
				answer(map[string]string{"order": order})
			}
		}
	}
}

func (c *Cluster) follow(asked context.Context, order string) error {
	verb, name, _ := strings.Cut(order, " ")
	child, err := c.child(name)
	if err != nil {
		return err
	}
	switch {
	case verb == "stop":
		child.stop()
	case verb == "kill":
		child.kill()
	case verb == "start" && child.running():
		return fmt.Errorf("%s runs already", name)
	case verb == "start":
		return c.start(asked, child)
	default:
		return fmt.Errorf("unknown order `%s`: there are stop, kill and start", verb)
	}
	return nil
}

// answer prints one line of JSON.
func answer(value any) {
	// Strings and maps of strings always have a JSON form, and a reader that has gone has closed stdin too.
	_ = json.NewEncoder(os.Stdout).Encode(value)
}
