// Package system reads the roots that the machine trusts, for programs that
// choose to rely on them. Nothing in this module does so by itself:
//
//	roots, err := system.Roots()
//	if err != nil {
//		return err
//	}
//	trust := chain.NewCollection(chain.Anchors(roots))
//
// A machine's roots are mostly chosen for the servers of web sites. Limit what
// they may vouch for with [chain.Constrain] where you know more.
//
// # What is read
//
//   - Linux, the BSDs, illumos and others: the first PEM bundle at a usual
//     place, or else the usual directories. The variables SSL_CERT_FILE and
//     SSL_CERT_DIR replace both, as they do for OpenSSL and crypto/x509.
//   - macOS: /etc/ssl/cert.pem, which Apple ships beside the keychain.
//   - Windows: the system stores ROOT and Disallowed of the current user, which
//     include those of the machine and of group policies.
//
// # What is not honored
//
//   - Settings of the macOS keychain, and whatever its owner added to it.
//   - Windows downloads most roots of its program when they are first needed:
//     ROOT has only those that were. Uses that Windows forbids a root by a
//     property of the store (such as "not for e-mail" or "not after a date") are
//     not applied. Use package sst, which reads exported stores with their
//     properties, where that matters.
//   - Bundles in PEM do not say what a root is trusted for. Distributions that
//     build on Mozilla's list remove what it trusts for nothing, and keep what it
//     trusts only for servers.
//   - Distrust of single certificates on systems other than Windows.
//
// Android, iOS, js and wasip1 have no roots that a program can read; there the
// error is [errors.ErrUnsupported].
package system

import "github.com/gosmime/gosmime/chain"

// Roots returns the roots of the machine, read anew at each call. Certificates
// that cannot be read are passed over. The error is [errors.ErrUnsupported] or
// [io/fs.ErrNotExist], wrapped, if there is no place to read from, and that of
// the system if reading fails.
func Roots() (chain.Source, error) { return roots() }

// Disallowed returns the certificates that the machine bans, for
// [chain.Disallowed]. Only Windows has such a store: elsewhere the Source is
// empty.
func Disallowed() (chain.Source, error) { return disallowed() }
