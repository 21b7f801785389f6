package emulator

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

const certificateFile = "certificate.pem"

// certify makes a certificate of 127.0.0.1 in a folder, and a key, whose path it returns with the roots that trust it. It is good for a day.
func certify(folder string) (keyPath string, roots *x509.CertPool, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", nil, err
	}
	now := time.Now()
	of := &x509.Certificate{SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "127.0.0.1"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	certificate, err := x509.CreateCertificate(rand.Reader, of, of, &key.PublicKey, key)
	if err != nil {
		return "", nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", nil, err
	}
	keyPath = filepath.Join(folder, "key.pem")
	if err := writePEM(keyPath, "PRIVATE KEY", secret); err != nil {
		return "", nil, err
	}
	if err := writePEM(filepath.Join(folder, certificateFile), "CERTIFICATE", certificate); err != nil {
		return "", nil, err
	}
	parsed, err := x509.ParseCertificate(certificate)
	if err != nil {
		return "", nil, err
	}
	roots = x509.NewCertPool()
	roots.AddCert(parsed)
	return keyPath, roots, nil
}

func writePEM(path, kind string, data []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data}), 0o600)
}
