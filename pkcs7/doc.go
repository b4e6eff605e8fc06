// Package pkcs7 is a streaming implementation of the Cryptographic Message
// Syntax (RFC 5652), the successor of PKCS #7.
//
// This package knows keys and signatures; it does not know whom to trust. By
// the convention of crypto/x509, a function named Check does arithmetic and a
// function named Verify also asks for trust: [SignerInfo.CheckSignature] says
// that a key made a signature, [Verify] says that somebody vouches for the
// key. Mail programs want package smime instead.
//
// Encryption does not say who did it. An authenticated cipher tells that nobody
// but a recipient changed the content; CMSAlgorithmProtection protects
// signatures alone, and the algorithms of encryption are protected by
// [EncryptOptions].CEKHKDF.
package pkcs7
