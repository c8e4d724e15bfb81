package redistest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// writeCertificates writes ca.pem, and cert.pem and key.pem of a server at 127.0.0.1.
func writeCertificates(dir string) error {
	until := time.Now().Add(24 * time.Hour)
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "redistest"}, NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), NotAfter: until, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	var keys [2]*ecdsa.PrivateKey
	for i := range keys {
		var err error
		if keys[i], err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			return fmt.Errorf("redistest: %w", err)
		}
	}
	key, err := x509.MarshalPKCS8PrivateKey(keys[1])
	if err != nil {
		return fmt.Errorf("redistest: %w", err)
	}
	for name, certificate := range map[string]*x509.Certificate{"ca.pem": ca, "cert.pem": leaf} {
		public := &keys[0].PublicKey
		if certificate == leaf {
			public = &keys[1].PublicKey
		}
		der, err := x509.CreateCertificate(rand.Reader, certificate, ca, public, keys[0])
		if err == nil {
			err = writePEM(filepath.Join(dir, name), "CERTIFICATE", der)
		}
		if err != nil {
			return fmt.Errorf("redistest: %w", err)
		}
	}
	return writePEM(filepath.Join(dir, "key.pem"), "PRIVATE KEY", key)
}

func writePEM(name, kind string, der []byte) error {
	return os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
