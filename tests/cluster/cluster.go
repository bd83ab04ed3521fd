package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// How long a child may take until it is ready; a busy machine is slow.
const startPatience = 3 * time.Minute

// Sockets of etcd, in the directory of the cluster. It takes a socket's name for a host, which needs a port.
const (
	etcdSocket     = "etcd:1"
	etcdPeerSocket = "etcd:2"
)

// Ready is what the line says that is printed when everything is ready.
type Ready struct {
	// Base URL of the API server.
	URL string `json:"url"`
	// What the API server says to /version.
	Version string `json:"version"`
	// Of a user of the group system:masters.
	Kubeconfig string `json:"kubeconfig"`
	// Of a user named `user`, whom the API server knows and allows nothing.
	UserKubeconfig string `json:"userKubeconfig"`
	// Holds NAME.crt and NAME.key of each authority: `serving-ca`, `client-ca` and `request-header-ca`; and of what they
	// signed, among it `proxy-client`.
	Certificates string `json:"certificates"`
	// Holds NAME.log of each program.
	Logs string `json:"logs"`
	// The program that runs under each name.
	Programs map[string]string `json:"programs"`
}

// Cluster is the running control plane.
type Cluster struct {
	dir      string
	probe    *Probe
	children []*Child
	ends     chan End
	ready    Ready
}

// startCluster starts everything in order and waits until it is ready. What it started is in the cluster it returns, also
// when there is an error.
func startCluster(asked context.Context, settings Settings) (*Cluster, error) {
	c := &Cluster{dir: settings.dir, ends: make(chan End)}
	ids, err := makeIdentities(filepath.Join(c.dir, "certificates"))
	if err != nil {
		return c, err
	}
	if err := c.begin(asked, &Child{name: etcd, arguments: etcdArguments("unix://"+etcdSocket, "unix://"+etcdPeerSocket)}); err != nil {
		return c, err
	}
	url, err := c.beginAPIServer(asked, ids)
	if err != nil {
		return c, err
	}
	kubeconfig, err := writeKubeconfig(c.dir, controllerManager, url, ids.servingCA, ids.controllerManager)
	if err != nil {
		return c, err
	}
	err = c.begin(asked, &Child{name: controllerManager, arguments: controllerManagerArguments(settings, ids, kubeconfig)})
	if err != nil {
		return c, err
	}
	return c, c.describe(url, ids)
}

// beginAPIServer starts it on a port that is free; another process may take the port between the look and the use.
func (c *Cluster) beginAPIServer(asked context.Context, ids *Identities) (string, error) {
	for attempt := 1; ; attempt++ {
		port, err := freePort()
		if err != nil {
			return "", err
		}
		url := "https://127.0.0.1:" + port
		c.probe = newProbe(url, ids)
		err = c.begin(asked, &Child{name: apiServer, arguments: apiServerArguments(ids, "unix://"+etcdSocket, port)})
		if err == nil {
			return url, nil
		}
		if attempt == 5 || !lostPort(err) {
			return "", err
		}
		c.children = c.children[:len(c.children)-1]
	}
}

// begin starts a child for the first time.
func (c *Cluster) begin(asked context.Context, child *Child) error {
	child.dir, child.ends = c.dir, c.ends
	c.children = append(c.children, child)
	return c.start(asked, child)
}

// start starts a child that does not run and waits until it is ready.
func (c *Cluster) start(asked context.Context, child *Child) error {
	if err := child.start(); err != nil {
		return err
	}
	switch child.name {
	case etcd:
		return child.until(asked, func() error {
			connection, err := net.Dial("unix", filepath.Join(c.dir, etcdSocket))
			if err == nil {
				err = connection.Close()
			}
			return err
		})
	case apiServer:
		return child.until(asked, c.probe.serving)
	default:
		// The first thing it does for everyone.
		return child.until(asked, func() error {
			return c.probe.finds("/api/v1/namespaces/default/serviceaccounts/default")
		})
	}
}

func (c *Cluster) describe(url string, ids *Identities) error {
	version, err := c.probe.version()
	if err != nil {
		return err
	}
	admin, err := writeKubeconfig(c.dir, "admin", url, ids.servingCA, ids.admin)
	if err != nil {
		return err
	}
	user, err := writeKubeconfig(c.dir, "user", url, ids.servingCA, ids.user)
	if err != nil {
		return err
	}
	programs := map[string]string{}
	for _, child := range c.children {
		if programs[child.name], err = programOf(child.name); err != nil {
			return err
		}
	}
	c.ready = Ready{
		URL:            url,
		Version:        version,
		Kubeconfig:     admin,
		UserKubeconfig: user,
		Certificates:   filepath.Join(c.dir, "certificates"),
		Logs:           c.dir,
		Programs:       programs,
	}
	return nil
}

// stop ends the children, those that need others first.
func (c *Cluster) stop() {
	for i := len(c.children) - 1; i >= 0; i-- {
		c.children[i].stop()
	}
}

func (c *Cluster) child(name string) (*Child, error) {
	for _, child := range c.children {
		if child.name == name {
			return child, nil
		}
	}
	return nil, fmt.Errorf("unknown program `%s`: there are %s, %s and %s", name, etcd, apiServer, controllerManager)
}

func freePort() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port), nil
}

// home makes the directory of the cluster; `remove` takes it away if it was temporary.
func home(dir string) (path string, remove func(), err error) {
	if dir == "" {
		path, err = os.MkdirTemp("", "cluster-")
		return path, func() { _ = os.RemoveAll(path) }, err
	}
	if path, err = filepath.Abs(dir); err == nil {
		err = os.MkdirAll(path, 0o700)
	}
	return path, func() {}, err
}
