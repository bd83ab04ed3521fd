package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Probe asks the API server as its administrator.
type Probe struct {
	url    string
	client *http.Client
}

func newProbe(url string, ids *Identities) *Probe {
	roots := x509.NewCertPool()
	roots.AddCert(ids.servingCA.certificate)
	own := tls.Certificate{Certificate: [][]byte{ids.admin.certificate.Raw}, PrivateKey: ids.admin.key}
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{own}},
		// Each answer comes from the process that runs now.
		DisableKeepAlives: true,
	}
	return &Probe{url: url, client: &http.Client{Transport: transport, Timeout: 5 * time.Second}}
}

// finds is nil when the path answers 200.
func (p *Probe) finds(path string) error {
	_, err := p.get(path)
	return err
}

// serving is nil when the API server says it is ready and has made what every cluster has.
func (p *Probe) serving() error {
	for _, path := range []string{
		"/readyz",
		"/api/v1/namespaces/default",
		"/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication",
	} {
		if err := p.finds(path); err != nil {
			return err
		}
	}
	return nil
}

// version is what the API server says it is, such as `v1.36.3`.
func (p *Probe) version() (string, error) {
	body, err := p.get("/version")
	if err != nil {
		return "", err
	}
	var version struct{ GitVersion string }
	err = json.Unmarshal(body, &version)
	return version.GitVersion, err
}

func (p *Probe) get(path string) ([]byte, error) {
	response, err := p.client.Get(p.url + path)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", path, response.Status, strings.TrimSpace(string(body)))
	}
	return body, err
}
