//go:build !linux

package main

import "syscall"

// Only Linux ends children with their parent; elsewhere they stay behind when this program is killed with SIGKILL.
func diesWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
