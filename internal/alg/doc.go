// Package alg has the algorithms of CMS and X.509 by their AlgorithmIdentifiers:
// digests, public keys, signatures, content ciphers, key wrapping, agreement,
// encapsulation and derivation.
package alg
