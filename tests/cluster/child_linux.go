package main

import "syscall"

// A group of its own keeps a Ctrl-C of the terminal away: children are stopped in order.
func diesWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
