package system

import (
	"errors"
	"fmt"
	"slices"
	"syscall"
	"unsafe"

	"github.com/gosmime/gosmime/chain"
)

func roots() (chain.Source, error)      { return store("ROOT") }
func disallowed() (chain.Source, error) { return store("Disallowed") }

// cryptENotFound is CRYPT_E_NOT_FOUND: the end of an enumeration.
const cryptENotFound = syscall.Errno(0x80092004)

// store reads the certificates of a system store of the current user.
func store(name string) (_ chain.Source, err error) {
	wide, err := syscall.UTF16PtrFromString(name)
	if err != nil {
		return nil, fmt.Errorf("system: %w", err)
	}
	h, err := syscall.CertOpenSystemStore(0, wide)
	if err != nil {
		return nil, fmt.Errorf("system: opening the store %s: %w", name, err)
	}
	defer func() { err = errors.Join(err, syscall.CertCloseStore(h, 0)) }()
	var list [][]byte
	var cert *syscall.CertContext
	for {
		// Each call frees the certificate of the one before.
		cert, err = syscall.CertEnumCertificatesInStore(h, cert)
		if errors.Is(err, cryptENotFound) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("system: reading the store %s: %w", name, err)
		}
		if cert == nil {
			break
		}
		list = append(list, slices.Clone(unsafe.Slice(cert.EncodedCert, cert.Length)))
	}
	return chain.DER(list...), nil
}
