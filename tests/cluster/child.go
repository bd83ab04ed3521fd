package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// How long a child may take to end by itself after SIGTERM.
const stopPatience = 5 * time.Second

// Child is one of the three programs; it can be started again after it was stopped.
type Child struct {
	name      string
	arguments []string
	dir       string

	process *exec.Cmd
	// Closed when the process has ended.
	ended chan struct{}
	// Told of the end of each process.
	ends chan<- End
}

// End is the end of one process of a child; if it is not the child's present one, the end was asked for.
type End struct {
	child *Child
	ended chan struct{}
}

// Ended is a child that nobody had asked to end.
type Ended struct {
	name string
	log  string
}

func (e *Ended) Error() string {
	return fmt.Sprintf("%s ended; the end of its log:\n%s", e.name, e.log)
}

func (c *Child) start() error {
	program, err := programOf(c.name)
	if err != nil {
		return err
	}
	log, err := os.OpenFile(c.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	process := exec.Command(program)
	process.Args = append([]string{c.name}, c.arguments...)
	process.Dir = c.dir
	process.Stdout, process.Stderr = log, log
	process.SysProcAttr = diesWithParent()
	if err := process.Start(); err != nil {
		return fmt.Errorf("%s does not start: %w", c.name, err)
	}
	ended := make(chan struct{})
	go func() {
		// How it ended does not matter: its log tells more.
		_ = process.Wait()
		close(ended)
		c.ends <- End{child: c, ended: ended}
	}()
	c.process, c.ended = process, ended
	return nil
}

func (c *Child) running() bool {
	return c.process != nil
}

// stop ends the process, if it runs, and waits for its end.
func (c *Child) stop() {
	c.end(syscall.SIGTERM, stopPatience)
}

// kill ends the process as a crash would.
func (c *Child) kill() {
	c.end(syscall.SIGKILL, 0)
}

func (c *Child) end(signal syscall.Signal, patience time.Duration) {
	if !c.running() {
		return
	}
	// Fails only if it has ended already.
	_ = c.process.Process.Signal(signal)
	select {
	case <-c.ended:
	case <-time.After(patience):
		_ = c.process.Process.Kill()
		<-c.ended
	}
	c.process, c.ended = nil, nil
}

// unexpected is the error of a process that has ended by itself.
func (c *Child) unexpected() error {
	c.process, c.ended = nil, nil
	return &Ended{name: c.name, log: c.logTail()}
}

// until asks again until `ready` says nil, the child ends, the end is asked for, or the time is over.
func (c *Child) until(asked context.Context, ready func() error) error {
	deadline := time.Now().Add(startPatience)
	for {
		err := ready()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s is not ready: %w; the end of its log:\n%s", c.name, err, c.logTail())
		}
		select {
		case <-asked.Done():
			return asked.Err()
		case <-c.ended:
			return c.unexpected()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// lostPort tells whether the child ended because another process had taken its port.
func lostPort(err error) bool {
	var ended *Ended
	return errors.As(err, &ended) && strings.Contains(ended.log, "address already in use")
}

func (c *Child) logFile() string {
	return filepath.Join(c.dir, c.name+".log")
}

func (c *Child) logTail() string {
	text, err := os.ReadFile(c.logFile())
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}

// programOf is the program to run under a name: the one of KUBEBUILDER_ASSETS, else this one.
func programOf(name string) (string, error) {
	if assets := os.Getenv("KUBEBUILDER_ASSETS"); assets != "" {
		path, err := filepath.Abs(filepath.Join(assets, name))
		if err != nil {
			return "", err
		}
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return os.Executable()
}
