// Package pkcs7 is a streaming implementation of the Cryptographic Message
// Syntax (RFC 5652), the successor of PKCS #7.
//
// This package knows keys and signatures; it does not know whom to trust. By
// the convention of crypto/x509, a function named Check does arithmetic and a
// function named Verify also asks for trust: [SignerInfo.CheckSignature] says
// that a key made a signature, [Verify] says that somebody vouches for the
// key. Mail programs want package smime instead.
//
// # Overview
//
// [Sign], [Encrypt] and [Decrypt] take and return octets. [NewSignWriter] and
// [NewEncryptWriter] are writers for content of any size: what is written comes
// out protected, and the error of Close must be checked. [NewSignedReader] and
// [NewDecryptReader] are readers. [Verify] reads signed content of any size, writes
// nothing unless every signature holds and every signer is trusted, and returns
// the signers with their attributes and certificates. A SignedReader has its
// signers after io.EOF; until one of them has been checked, the content is
// unauthenticated. A DecryptReader returns nothing of an authenticated message
// before all of it was authenticated. Keys are crypto.Signer, crypto.Decrypter,
// ecdh.KeyExchanger and crypto.Decapsulator, in software or elsewhere; package
// smime reads them from files.
//
// # What is promised
//
// Every signature that is made has signed attributes with signingCertificateV2
// and, except in countersignatures, CMSAlgorithmProtection; where a message has
// these attributes, they are checked. After a key was found, every failure of
// decryption is [ErrDecrypt], with one amount of work. [Limits] bound what one
// message may cost, and [Limits.Shared] what several layers may cost together. A
// [SyntaxError] says where the encoding is wrong. A [Deviation] says what was read
// although a standard forbids it.
//
// # Common mistakes
//
//   - Do not use what a SignedReader returned without checking its signers, or
//     after checking only that one of them passed.
//   - Do not check a signature with a certificate from the message alone: that
//     proves that somebody has a key. [InsecureAnySigner] does just that.
//   - Do not take AES-GCM as proof of who wrote a message: every recipient could
//     have made it.
//   - Do not release what a CBC message decrypts to as if nobody could have
//     changed it: see [Cipher.Authenticated].
//   - Do not rely on CMSAlgorithmProtection for encryption: it protects signatures.
//     EncryptOptions.CEKHKDF protects the algorithms of encryption.
//
// # Concurrency
//
// Functions, and the methods of a [SignerInfo], are safe for concurrent use, also
// with the same keys, recipients and options. Readers, writers and a [Digester]
// are for one goroutine at a time.
package pkcs7
