//go:build unix && !android && !ios

package system

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gosmime/gosmime/chain"
)

// bundles are where systems keep their roots in one file.
func bundles() []string {
	return []string{
		"/etc/ssl/certs/ca-certificates.crt",                // Debian, Ubuntu, Gentoo, Alpine
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // Fedora, RHEL
		"/etc/pki/tls/certs/ca-bundle.crt",                  // Fedora, older
		"/etc/ssl/ca-bundle.pem",                            // openSUSE
		"/etc/pki/tls/cacert.pem",                           // OpenELEC
		"/etc/ssl/cert.pem",                                 // macOS, OpenBSD, FreeBSD, Alpine
		"/usr/local/share/certs/ca-root-nss.crt",            // FreeBSD, DragonFly
		"/etc/openssl/certs/ca-certificates.crt",            // NetBSD
		"/etc/certs/ca-certificates.crt",                    // Solaris, illumos
	}
}

// directories are where systems keep a file for each root.
func directories() []string {
	return []string{"/etc/ssl/certs", "/etc/pki/tls/certs", "/usr/local/share/certs", "/etc/openssl/certs", "/etc/certs/CA"}
}

func roots() (chain.Source, error) {
	files, dirs := bundles(), directories()
	file, dir := os.Getenv("SSL_CERT_FILE"), os.Getenv("SSL_CERT_DIR")
	if file != "" {
		files = []string{file}
	}
	if dir != "" {
		dirs = filepath.SplitList(dir)
	}
	if file == "" && dir != "" {
		files = nil
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) && file == "" {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("system: %w", err)
		}
		return parse(name, text)
	}
	return fromDirectories(dirs)
}

// fromDirectories reads every file of the directories that are there. Many files
// have two names, one of them a hash of the subject.
func fromDirectories(dirs []string) (chain.Source, error) {
	var text bytes.Buffer
	seen := make(map[string]bool)
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("system: %w", err)
		}
		for _, e := range entries {
			name, err := filepath.EvalSymlinks(filepath.Join(dir, e.Name()))
			if err != nil || seen[name] {
				continue // a link to nothing
			}
			seen[name] = true
			if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() {
				continue
			}
			b, err := os.ReadFile(name)
			if err != nil {
				return nil, fmt.Errorf("system: %w", err)
			}
			if bytes.Contains(b, []byte("-----BEGIN CERTIFICATE-----")) || bytes.Contains(b, []byte("-----BEGIN TRUSTED CERTIFICATE-----")) {
				text.Write(b)
				text.WriteByte('\n')
			}
		}
	}
	if text.Len() == 0 {
		return nil, fmt.Errorf("system: no roots in %s: %w", strings.Join(dirs, ", "), fs.ErrNotExist)
	}
	return parse(strings.Join(dirs, ", "), text.Bytes())
}

func parse(name string, text []byte) (chain.Source, error) {
	if !bytes.Contains(text, []byte("CERTIFICATE-----")) {
		return nil, fmt.Errorf("system: %s: no certificate", name)
	}
	src, err := chain.PEM(text)
	if err != nil {
		return nil, fmt.Errorf("system: %s: %w", name, err)
	}
	return src, nil
}

func disallowed() (chain.Source, error) { return chain.DER(), nil }
