// Program cluster runs a Kubernetes control plane on loopback for one test: etcd, kube-apiserver with the aggregation
// layer on, and kube-controller-manager. There is no kubelet and no scheduler.
//
//	cluster [--dir=DIRECTORY] [--hpa-sync-period=2s] [--hpa-downscale-stabilization=10s] ...
//
// When everything is ready it prints one line of JSON, see the type Ready. After that it reads orders from stdin, one a
// line, and answers each with one line of JSON:
//
//	stop NAME     SIGTERM, and SIGKILL after some seconds
//	kill NAME     SIGKILL, as a crash
//	start NAME    with the same data and ports, until it is ready
//
// NAME is etcd, kube-apiserver or kube-controller-manager. It ends, with its children, on SIGTERM, SIGINT and the end of
// stdin. When a child ends by itself it says so with the last lines of its log and exits with 1.
//
//	cluster decode TIMES
//
// runs nothing: it reads a list of metric values from stdin, so many times, and prints it as JSON.
//
// A program found under one of the three names in the directory of the variable KUBEBUILDER_ASSETS is used instead of
// the one linked in here.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
)

// The names of the programs, which are also the names that orders use.
const (
	etcd              = "etcd"
	apiServer         = "kube-apiserver"
	controllerManager = "kube-controller-manager"
)

func init() {
	// A child is killed when the thread that started it ends; the main thread lives as long as the process.
	runtime.LockOSThread()
}

// The programs share a binary and not a process: their flags and their metrics would collide.
func main() {
	switch filepath.Base(os.Args[0]) {
	case etcd:
		etcdmain.Main(os.Args)
	case apiServer:
		os.Exit(cli.Run(apiserver.NewAPIServerCommand()))
	case controllerManager:
		os.Exit(cli.Run(controllermanager.NewControllerManagerCommand()))
	default:
		if err := ordered(os.Args[1:]); err != nil {
			fmt.Fprintf(os.Stderr, "cluster: %v\n", err)
			os.Exit(1)
		}
	}
}

func ordered(arguments []string) error {
	if len(arguments) > 0 && arguments[0] == "decode" {
		return decode(arguments[1:])
	}
	return run(arguments)
}

// Settings is what a test can choose. A duration of zero leaves the default of Kubernetes.
type Settings struct {
	dir                        string
	hpaSyncPeriod              time.Duration
	hpaDownscaleStabilization  time.Duration
	hpaCPUInitializationPeriod time.Duration
	hpaInitialReadinessDelay   time.Duration
}

func parse(arguments []string) (Settings, error) {
	var settings Settings
	flags := flag.NewFlagSet("cluster", flag.ContinueOnError)
	flags.StringVar(&settings.dir, "dir", "",
		"directory for data, certificates and logs, which stays; without it a temporary one, which does not")
	flags.DurationVar(&settings.hpaSyncPeriod, "hpa-sync-period", 0,
		"how often the HPA controller looks")
	flags.DurationVar(&settings.hpaDownscaleStabilization, "hpa-downscale-stabilization", 0,
		"how long the HPA controller remembers higher recommendations")
	flags.DurationVar(&settings.hpaCPUInitializationPeriod, "hpa-cpu-initialization-period", 0,
		"how long after its start CPU samples of a pod may be passed over")
	flags.DurationVar(&settings.hpaInitialReadinessDelay, "hpa-initial-readiness-delay", 0,
		"how long after its start a pod counts as starting for the first time")
	if err := flags.Parse(arguments); err != nil {
		return settings, err
	}
	if flags.NArg() > 0 {
		return settings, fmt.Errorf("unknown argument `%s`", flags.Arg(0))
	}
	return settings, nil
}
