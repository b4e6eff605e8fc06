// Package interop tests package pkcs7 against Bouncy Castle in both
// directions. The peers with command lines, OpenSSL, gpgsm and NSS, are in the
// tests of the packages themselves.
package interop
