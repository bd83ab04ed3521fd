package main

import (
	"path/filepath"
	"strings"
	"time"
)

func etcdArguments(clients, peers string) []string {
	return []string{
		"--data-dir=etcd",
		"--listen-client-urls=" + clients,
		"--advertise-client-urls=" + clients,
		"--listen-peer-urls=" + peers,
		"--initial-advertise-peer-urls=" + peers,
		"--initial-cluster=default=" + peers,
		// Nothing here has to survive the machine.
		"--unsafe-no-fsync",
		"--log-level=warn",
	}
}

func apiServerArguments(ids *Identities, etcdURL, port string) []string {
	return []string{
		"--etcd-servers=" + etcdURL,
		"--bind-address=127.0.0.1",
		"--secure-port=" + port,
		// Endpoints may not have loopback addresses, and nobody needs them for the API server itself.
		"--advertise-address=10.1.1.1",
		"--endpoint-reconciler-type=none",
		"--service-cluster-ip-range=10.0.0.0/16",
		"--tls-cert-file=" + ids.serving.crtFile,
		"--tls-private-key-file=" + ids.serving.keyFile,
		"--cert-dir=" + filepath.Dir(ids.serving.crtFile),

		"--client-ca-file=" + ids.clientCA.crtFile,
		"--anonymous-auth=false",
		"--authorization-mode=RBAC",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + ids.serviceAccount.crtFile,
		"--service-account-signing-key-file=" + ids.serviceAccount.keyFile,
		// Pods may be made before the accounts of their namespace.
		"--disable-admission-plugins=ServiceAccount",

		"--requestheader-client-ca-file=" + ids.requestHeaderCA.crtFile,
		"--requestheader-allowed-names=front-proxy-client",
		"--requestheader-username-headers=X-Remote-User",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file=" + ids.proxyClient.crtFile,
		"--proxy-client-key-file=" + ids.proxyClient.keyFile,

		"--profiling=false",
	}
}

// What tests need to see happen; the rest would only use up the machine.
var controllers = []string{
	"clusterrole-aggregation-controller",
	"deployment-controller",
	"garbage-collector-controller",
	"horizontal-pod-autoscaler-controller",
	"namespace-controller",
	"replicaset-controller",
	"serviceaccount-controller",
}

func controllerManagerArguments(settings Settings, ids *Identities, kubeconfig string) []string {
	arguments := []string{
		"--kubeconfig=" + kubeconfig,
		"--controllers=" + strings.Join(controllers, ","),
		"--use-service-account-credentials",
		"--service-account-private-key-file=" + ids.serviceAccount.keyFile,
		"--leader-elect=false",
		// Nobody asks it for anything.
		"--secure-port=0",
		"--profiling=false",
	}
	chosen := func(flag string, value time.Duration) {
		if value != 0 {
			arguments = append(arguments, "--horizontal-pod-autoscaler-"+flag+"="+value.String())
		}
	}
	chosen("sync-period", settings.hpaSyncPeriod)
	chosen("downscale-stabilization", settings.hpaDownscaleStabilization)
	chosen("cpu-initialization-period", settings.hpaCPUInitializationPeriod)
	chosen("initial-readiness-delay", settings.hpaInitialReadinessDelay)
	return arguments
}
