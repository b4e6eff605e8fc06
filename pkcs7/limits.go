package pkcs7

// ReadOptions are the options of reading; nil means the defaults.
type ReadOptions struct {
	Limits           Limits
	InsecureHistoric bool // SHA-1 and RSA from 1024 bits pass CheckSignature
}

// DecryptOptions are the options of decryption; nil means the defaults.
type DecryptOptions struct {
	Limits               Limits
	RequireAuthenticated bool
	InsecureHistoric     bool // reads Triple DES and RC2
}

// Limits bound the work that one message may cause.
type Limits struct {
	Bytes        int64 // encoded size; default 4 GiB
	Depth        int   // nesting of the encoding; default 32
	Signers      int   // default 16
	Recipients   int   // default 10000
	Certificates int   // default 100

	Signatures  int    // signature checks; default 100
	PrivateKeys int    // private-key operations; default 10
	Iterations  int    // of a password's KDF; default 10 000 000
	Expanded    int64  // size after decompression; default 1 GiB
	Memory      int64  // held in memory for a message, all layers together; default 4 MiB
	Disk        int64  // of temporary files; default 4 GiB; negative: none
	Dir         string // of temporary files; empty: os.TempDir
}

// Shared returns limits that count for everything they are passed to, together: one
// budget for all layers of a message.
func (l Limits) Shared() Limits { panic("sketch") }
