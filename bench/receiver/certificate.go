package receiver

import (
	"crypto/tls"
	"os"
	"path/filepath"

	"waggle/shared/loopback"
)

// certify makes a certificate of the loopback, and a file that verifies it.
func certify(dir string) (tls.Certificate, string, error) {
	certificate, err := loopback.Certificate()
	if err != nil {
		return certificate, "", err
	}
	file := filepath.Join(dir, "receiver.pem")
	return certificate, file, os.WriteFile(file, loopback.PEM(certificate), 0o600)
}
