package emulator

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"

	"waggle/shared/loopback"
)

const certificateFile = "certificate.pem"

// certify makes a certificate of 127.0.0.1 in a folder, and a key, whose path it returns with the roots that trust it.
func certify(folder string) (keyPath string, roots *x509.CertPool, err error) {
	certificate, err := loopback.Certificate()
	if err != nil {
		return "", nil, err
	}
	key, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		return "", nil, err
	}
	keyPath = filepath.Join(folder, "key.pem")
	if err := os.WriteFile(keyPath, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600); err != nil {
		return "", nil, err
	}
	return keyPath, loopback.Roots(certificate), os.WriteFile(filepath.Join(folder, certificateFile), loopback.PEM(certificate), 0o600)
}
