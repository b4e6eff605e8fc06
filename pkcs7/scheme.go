package pkcs7

// Scheme is a signature algorithm with its digest. The zero Scheme means the
// best one for the key; it is never written to a message.
type Scheme uint16

const (
	_ Scheme = iota
	RSAPKCS1SHA256
	RSAPKCS1SHA384
	RSAPKCS1SHA512
	RSAPSSSHA256
	RSAPSSSHA384
	RSAPSSSHA512
	ECDSASHA256
	ECDSASHA384
	ECDSASHA512
	Ed25519
	Ed448
	MLDSA44
	MLDSA65
	MLDSA87
)
