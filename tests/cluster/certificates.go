package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Identity is a certificate with its key, on disk as NAME.crt and NAME.key.
type Identity struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	crtFile     string
	keyFile     string
}

// Identities is everything that the programs show each other, in one directory.
type Identities struct {
	servingCA         *Identity
	clientCA          *Identity
	requestHeaderCA   *Identity
	serving           *Identity
	proxyClient       *Identity
	admin             *Identity
	user              *Identity
	controllerManager *Identity
	serviceAccount    *Identity
}

func makeIdentities(dir string) (*Identities, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	m := maker{dir: dir}
	servingCA, clientCA := m.authority("serving-ca"), m.authority("client-ca")
	requestHeaderCA := m.authority("request-header-ca")
	made := &Identities{
		servingCA:         servingCA,
		clientCA:          clientCA,
		requestHeaderCA:   requestHeaderCA,
		serving:           m.server("kube-apiserver", servingCA),
		proxyClient:       m.client("proxy-client", requestHeaderCA, "front-proxy-client"),
		admin:             m.client("admin", clientCA, "admin", "system:masters"),
		user:              m.client("user", clientCA, "user"),
		controllerManager: m.client("kube-controller-manager", clientCA, "system:kube-controller-manager"),
		serviceAccount:    m.authority("service-account"),
	}
	return made, m.err
}

// maker keeps the first error, so that what is made reads as a list.
type maker struct {
	dir string
	err error
}

func (m *maker) authority(name string) *Identity {
	return m.make(name, nil, &x509.Certificate{
		Subject:               pkix.Name{CommonName: name},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	})
}

func (m *maker) server(name string, by *Identity) *Identity {
	return m.make(name, by, &x509.Certificate{
		Subject:     pkix.Name{CommonName: name},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	})
}

func (m *maker) client(name string, by *Identity, user string, groups ...string) *Identity {
	return m.make(name, by, &x509.Certificate{
		Subject:     pkix.Name{CommonName: user, Organization: groups},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
}

// make signs and writes; without `by` the certificate signs itself.
func (m *maker) make(name string, by *Identity, template *x509.Certificate) *Identity {
	if m.err != nil {
		return nil
	}
	made, err := sign(by, template)
	if err == nil {
		err = made.write(m.dir, name)
	}
	m.err = err
	return made
}

func sign(by *Identity, template *x509.Certificate) (*Identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial
	template.NotBefore = time.Now().Add(-time.Hour)
	template.NotAfter = time.Now().AddDate(1, 0, 0)
	if template.KeyUsage == 0 {
		template.KeyUsage = x509.KeyUsageDigitalSignature
	}
	parent, signer := template, key
	if by != nil {
		parent, signer = by.certificate, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	return &Identity{certificate: certificate, key: key}, err
}

func (i *Identity) write(dir, name string) error {
	key, err := x509.MarshalPKCS8PrivateKey(i.key)
	if err != nil {
		return err
	}
	i.crtFile, i.keyFile = filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key")
	if err := os.WriteFile(i.keyFile, pemOf("PRIVATE KEY", key), 0o600); err != nil {
		return err
	}
	return os.WriteFile(i.crtFile, i.crt(), 0o600)
}

func (i *Identity) crt() []byte {
	return pemOf("CERTIFICATE", i.certificate.Raw)
}

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
