package exchange

import (
	"crypto/x509"
	"math"
	"slices"
	"strconv"
	"time"
)

// A Config has a field for every parameter of Set-SmimeConfig, under its own
// name without the OWA prefix. [DefaultConfig] has the documented defaults; the
// zero Config differs from them where a comment names a default.
type Config struct {
	AlwaysEncrypt bool
	AlwaysSign    bool
	ClearSign     bool // default true; false: opaque
	// TripleWrapSignedEncryptedMail signs again what was signed and encrypted.
	TripleWrapSignedEncryptedMail bool
	BCCEncryptedEmailForking      BCCForking
	// IncludeCertificateChainAndRoot wins where both chain settings are true;
	// where neither is, only the signer's certificate and the one to encrypt
	// to go along.
	IncludeCertificateChainWithoutRoot bool
	IncludeCertificateChainAndRoot     bool
	IncludeSMIMECapabilitiesInMessage  bool
	SignedEmailCertificateInclusion    bool // default true; false: no certificate at all
	UseKeyIdentifier                   bool // name recipients by subject key identifier
	// CopyRecipientHeaders copies From, To and Cc under the signature. A Sender
	// does so always (RFC 9788 with no confidentiality): it costs nothing.
	CopyRecipientHeaders bool
	DisableCRLCheck      bool
	// CheckCRLOnSend blocks a message when the CRLs and OCSP responders that a
	// certificate names say nothing. One that names none blocks nothing.
	CheckCRLOnSend       bool
	CRLConnectionTimeout time.Duration // of one connection; default 60 s
	CRLRetrievalTimeout  time.Duration // of all for one certificate; default 10 s
	DLExpansionTimeout   time.Duration // default 60 s; for the mail program
	// AllowUserChoiceOfSigningCertificate lets [Outgoing.Signer] decide.
	AllowUserChoiceOfSigningCertificate bool
	// OnlyUseSmartCard refuses keys that are in the memory of the process; of
	// others only the mail program knows where they are.
	OnlyUseSmartCard        bool
	EncryptTemporaryBuffers bool // default true; a Sender always does
	ForceSMIMEClientUpgrade bool // default true; for the mail program
	NoSignOnReply           bool // default true; for the mail program
	// UseSecondaryProxiesWhenFindingCerts also tries [Person.Proxies]; default true.
	UseSecondaryProxiesWhenFindingCerts  bool
	EncryptionAlgorithms                 []Algorithm // default 6610
	SigningAlgorithms                    []Algorithm // default 8004; see [Sender]
	SenderCertificateAttributesToDisplay []x509.OID  // for the mail program
	CertificateIssuingCA                 []byte      // an SST; see [NewCollection]
}

// BCCForking is OWABCCEncryptedEmailForking.
type BCCForking uint8

const (
	OneMessagePerBCC    BCCForking = iota // 0, the default
	OneMessageForAllBCC                   // 1
	NoForking                             // 2: discloses the blind copies to every recipient
)

// DefaultConfig returns the documented defaults.
func DefaultConfig() Config {
	return Config{
		ClearSign:                           true,
		SignedEmailCertificateInclusion:     true,
		CRLConnectionTimeout:                60 * time.Second,
		CRLRetrievalTimeout:                 10 * time.Second,
		DLExpansionTimeout:                  60 * time.Second,
		EncryptTemporaryBuffers:             true,
		ForceSMIMEClientUpgrade:             true,
		NoSignOnReply:                       true,
		UseSecondaryProxiesWhenFindingCerts: true,
		EncryptionAlgorithms:                defaultEncryption(),
		SigningAlgorithms:                   defaultSigning(),
	}
}

func defaultEncryption() []Algorithm { return []Algorithm{{ALGID: algAES256}} }
func defaultSigning() []Algorithm    { return []Algorithm{{ALGID: algSHA1}} }

// Check returns nil, or a [*SettingError] for the first setting that is out of
// range or contradicts another.
func (c *Config) Check() error {
	for _, name := range durationNames() {
		// The parameters are UInt32, in milliseconds.
		d := *c.duration(name)
		if d < 0 || d%time.Millisecond != 0 || d > math.MaxUint32*time.Millisecond {
			return &SettingError{Name: name, Value: d.String(), Reason: "is no number of milliseconds of 32 bits"}
		}
	}
	switch {
	case c.BCCEncryptedEmailForking > NoForking:
		return &SettingError{Name: "OWABCCEncryptedEmailForking", Value: strconv.Itoa(int(c.BCCEncryptedEmailForking)), Reason: "is 0, 1 or 2"}
	case c.DisableCRLCheck && c.CheckCRLOnSend:
		return &SettingError{Name: "OWACheckCRLOnSend", Reason: "contradicts OWADisableCRLCheck"}
	case !c.SignedEmailCertificateInclusion && (c.IncludeCertificateChainAndRoot || c.IncludeCertificateChainWithoutRoot):
		return &SettingError{Name: "OWASignedEmailCertificateInclusion", Reason: "is off, which contradicts " + c.chainSetting()}
	}
	if err := checkAlgorithms("OWAEncryptionAlgorithms", c.EncryptionAlgorithms, false); err != nil {
		return err
	}
	return checkAlgorithms("OWASigningAlgorithms", c.SigningAlgorithms, true)
}

// chainSetting names the setting that includes a certificate chain.
func (c *Config) chainSetting() string {
	if c.IncludeCertificateChainAndRoot {
		return "OWAIncludeCertificateChainAndRootCertificate"
	}
	return "OWAIncludeCertificateChainWithoutRootCertificate"
}

// Unenforced lists the settings that differ from their defaults and that a
// library can't follow, each with the reason. They are for the mail program.
func (c *Config) Unenforced() []*SettingError {
	def := DefaultConfig()
	var list []*SettingError
	add := func(differs bool, name, reason string) {
		if differs {
			list = append(list, &SettingError{Name: name, Reason: reason})
		}
	}
	add(c.OnlyUseSmartCard, "OWAOnlyUseSmartCard", "a key outside of the process does not tell where it is kept: pass only identities on smart cards")
	add(c.DLExpansionTimeout != def.DLExpansionTimeout, "OWADLExpansionTimeout", "distribution lists are expanded by the directory, before Outgoing.To is filled")
	add(c.ForceSMIMEClientUpgrade != def.ForceSMIMEClientUpgrade, "OWAForceSMIMEClientUpgrade", "is about the browser control of Outlook on the web")
	add(c.EncryptTemporaryBuffers != def.EncryptTemporaryBuffers, "OWAEncryptTemporaryBuffers", "temporary files are always encrypted")
	add(c.NoSignOnReply != def.NoSignOnReply, "NoSignOnReply", "what is a reply is known to the mail program, which sets Outgoing.Sign")
	add(len(c.SenderCertificateAttributesToDisplay) > 0, "OWASenderCertificateAttributesToDisplay", "is about what a mail program shows")
	return list
}

// isDefaultSigning reports whether list is the documented default.
func isDefaultSigning(list []Algorithm) bool {
	return len(list) == 0 || slices.EqualFunc(list, defaultSigning(), func(a, b Algorithm) bool { return a.String() == b.String() })
}
