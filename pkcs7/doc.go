// Package pkcs7 is a streaming implementation of the Cryptographic Message
// Syntax (RFC 5652), the successor of PKCS #7.
//
// This package knows keys and signatures; it does not know whom to trust. By
// the convention of crypto/x509, a function named Check does arithmetic and a
// function named Verify also asks for trust: [SignerInfo.CheckSignature] says
// that a key made a signature, [Verify] says that somebody vouches for the
// key. Mail programs want package smime instead.
//
// # In five minutes
//
// [NewSignWriter] and [NewEncryptWriter] are writers: what goes in comes out
// protected, and the error of Close must be checked. [NewSignedReader] and
// [NewDecryptReader] are readers. A SignedReader can be asked for its signers
// after io.EOF; until somebody was asked, what it returned is anybody's.
// A DecryptReader returns nothing of an authenticated message before all of it
// was authenticated. [Verify] does all of it for signatures and writes nothing
// unless every signer is trusted. Keys are crypto.Signer, crypto.Decrypter,
// ecdh.KeyExchanger and crypto.Decapsulator, in software or elsewhere.
//
// # What is promised
//
// Every signature that is made has signed attributes, with signingCertificateV2
// and, countersignatures apart, CMSAlgorithmProtection; those that are read are
// held to theirs. After a key was found, every failure of decryption is [ErrDecrypt],
// with one amount of work. What one message may cost is bounded by [Limits],
// for several layers together by [Limits.Shared]. A syntax error says where.
// What is read although a standard forbids it is a [Deviation] that can be asked
// for.
//
// # How to do it wrong
//
// To use what a SignedReader returned and not ask its signers, or to ask whether
// any of them passed. To take a certificate out of the message and check the
// signature with it: that proves that somebody has a key. To take AES-GCM for a
// proof of who wrote: encryption does not say who did it, and every recipient
// could have. To release what a CBC message decrypts to as if nobody could have
// changed it: see [Cipher.Authenticated]. CMSAlgorithmProtection protects
// signatures alone; the algorithms of encryption are protected by
// [EncryptOptions].CEKHKDF.
//
// Functions may be called at the same time, also with the same keys, recipients
// and options, and so may the methods of a [SignerInfo]; readers, writers and a
// [Digester] are for one goroutine at a time.
package pkcs7
