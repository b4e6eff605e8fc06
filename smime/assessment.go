package smime

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/quoted"
	"github.com/gosmime/gosmime/pkcs7"
)

// An Assessment is the plain answer to one question about a message, made for
// people who know nothing of cryptography: who signed it, or who could read and
// change it. Every combination of verdicts, and every error of this package,
// has one. Programs decide by errors; an Assessment is for showing and counting.
// The zero Assessment is that of a message that nobody checked.
type Assessment struct {
	Code     AssessmentCode `json:"code"`
	Severity Severity       `json:"severity"`
	// Text is one or two English sentences without object identifiers and names
	// of header fields. It can have addresses, which are quoted and cut if they
	// hold anything unusual. A program that shows other languages translates Code.
	Text string `json:"text"`
}

// String returns Text.
func (a Assessment) String() string { return a.Text }

// A Severity says how a program shows an [Assessment].
type Severity uint8

const (
	SeverityNone    Severity = iota // nothing to say: ordinary mail, or not for this reader
	SeverityGood                    // all that can be proved is proved
	SeverityCaution                 // something is missing or cannot be checked
	SeverityBad                     // it is not what it seems
)

var severityText = [...]string{SeverityNone: "none", SeverityGood: "good", SeverityCaution: "caution", SeverityBad: "bad"}

// String returns one word in lower case.
func (s Severity) String() string {
	if int(s) < len(severityText) {
		return severityText[s]
	}
	return fmt.Sprintf("severity %d", uint8(s))
}

// MarshalText returns what String returns.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// An AssessmentCode names an answer. Its String is stable: programs may store it,
// count it and translate by it.
type AssessmentCode uint8

const (
	AssessNotChecked          AssessmentCode = iota // nobody checked
	AssessUnsigned                                  // there is no signature
	AssessSigned                                    // signed by the author, and all of it is good
	AssessChanged                                   // changed after signing
	AssessOtherSigner                               // signed by somebody else than the author
	AssessSenderUnclear                             // programs differ in whom they show as author
	AssessPartlySigned                              // parts of it are not signed
	AssessContentUnclear                            // programs differ in what they show of the message
	AssessSignedOutside                             // only the encrypted form was signed, not what is in it
	AssessUnknownIssuer                             // nobody who is trusted vouches for the certificate
	AssessNoTrust                                   // no trust was given
	AssessExpired                                   // the certificate is not valid at this time
	AssessRevoked                                   // the certificate was revoked or banned
	AssessNotForMail                                // the certificate must not be used for this
	AssessStatusUnknown                             // whether the certificate was revoked is not known
	AssessWeakSignature                             // an algorithm or key that can be forged
	AssessUnreadableSignature                       // malformed, or of a kind that is not supported
	AssessSignatureUndecided                        // a limit, a time-out or a failing source ended the check
	AssessReceipt                                   // not a message: a receipt for one
	AssessLocked                                    // encrypted, and no key was at hand
	AssessCannotDecrypt                             // damaged, changed or not for this key
	AssessNotEncrypted                              // there is no encryption
	AssessEncrypted                                 // nobody on the way could read or change it
	AssessChangeable                                // nobody could read it, but somebody may have changed it
	AssessWeakEncryption                            // an algorithm that can be broken
	AssessPartlyEncrypted                           // encrypted and other parts side by side
	AssessEncryptionUndecided                       // a limit, a failing key or an unsupported algorithm ended the check
)

// An answer is what is fixed of the Assessment of a code.
type answer struct {
	name     string
	severity Severity
	text     string // %s: the names, where there are any
}

var answers = [...]answer{
	AssessNotChecked:          {"not-checked", SeverityNone, "This message was not checked."},
	AssessUnsigned:            {"unsigned", SeverityNone, "This message is not signed."},
	AssessSigned:              {"signed", SeverityGood, "Signed by %s. It was not changed."},
	AssessChanged:             {"changed", SeverityBad, "This message was changed after it was signed."},
	AssessOtherSigner:         {"other-signer", SeverityBad, "Signed by somebody else than its sender."},
	AssessSenderUnclear:       {"sender-unclear", SeverityBad, "It is unclear who sent this message: different programs show different senders."},
	AssessPartlySigned:        {"partly-signed", SeverityCaution, "Only a part of this message is signed. Anybody may have added the rest."},
	AssessContentUnclear:      {"content-unclear", SeverityBad, "Different programs show different content of this message, so what you see may not be what was protected."},
	AssessSignedOutside:       {"signed-outside", SeverityCaution, "The sender of the encrypted message signed it, but nothing shows who wrote its content."},
	AssessUnknownIssuer:       {"unknown-issuer", SeverityCaution, "Signed, but nobody you trust confirms who the signer is."},
	AssessNoTrust:             {"no-trust", SeverityCaution, "Signed. Choose whom you trust to find out by whom."},
	AssessExpired:             {"expired", SeverityCaution, "Signed with a certificate that is not valid at this time."},
	AssessRevoked:             {"revoked", SeverityBad, "Signed with a certificate that was withdrawn. Somebody else may have the key."},
	AssessNotForMail:          {"not-for-mail", SeverityCaution, "Signed with a certificate that was not issued for this purpose."},
	AssessStatusUnknown:       {"status-unknown", SeverityCaution, "Signed, but whether the signer's certificate was withdrawn could not be found out."},
	AssessWeakSignature:       {"weak-signature", SeverityCaution, "Signed by an outdated method that can be forged."},
	AssessUnreadableSignature: {"unreadable-signature", SeverityCaution, "There is a signature that cannot be read."},
	AssessSignatureUndecided:  {"signature-undecided", SeverityCaution, "The signature could not be checked."},
	AssessReceipt:             {"receipt", SeverityNone, "This is a receipt for another message."},
	AssessLocked:              {"locked", SeverityNone, "This message is encrypted, and none of your keys opens it."},
	AssessCannotDecrypt:       {"cannot-decrypt", SeverityCaution, "This message cannot be decrypted. It is damaged or was changed."},
	AssessNotEncrypted:        {"not-encrypted", SeverityNone, "This message is not encrypted."},
	AssessEncrypted:           {"encrypted", SeverityGood, "Encrypted. Nobody on the way could read or change it."},
	AssessChangeable:          {"changeable", SeverityCaution, "Encrypted, but somebody on the way may have changed it."},
	AssessWeakEncryption:      {"weak-encryption", SeverityCaution, "Encrypted by an outdated method. Others may have read it."},
	AssessPartlyEncrypted:     {"partly-encrypted", SeverityBad, "Encrypted and other parts are mixed. Somebody may have put a stolen message here to have it opened."},
	AssessEncryptionUndecided: {"encryption-undecided", SeverityCaution, "This message is encrypted and could not be opened."},
}

// String returns a stable name of lower-case words and hyphens, such as
// "signed" or "other-signer".
func (c AssessmentCode) String() string {
	if int(c) < len(answers) {
		return answers[c].name
	}
	return fmt.Sprintf("assessment-%d", uint8(c))
}

// MarshalText returns what String returns.
func (c AssessmentCode) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// Assess returns the plain answers about a message. The first is about what
// [Message.Signer] returns, the second about [Message.Confidential].
func (m *Message) Assess() (signature, encryption Assessment) {
	signer, err := m.Signer()
	signature = assessSignature(signer, err)
	return signature, assessEncryption(m.Confidential())
}

// Assess returns the plain answers for a part, of [Part.Signer] and
// [Part.Confidential].
func (p *Part) Assess() (signature, encryption Assessment) {
	signer, err := p.Signer()
	return assessSignature(signer, err), assessEncryption(p.Confidential())
}

// Assess returns the plain answers for what [Verify], [Decrypt] and [Unseal]
// returned: a Signer or nil, an Encryption or nil, and an error or nil. Verify
// does not look for encryption, nor Decrypt for signatures: if there is no error
// the other answer is [AssessNotChecked].
func Assess(s *Signer, e *Encryption, err error) (signature, encryption Assessment) {
	switch {
	case err != nil:
		signature, encryption = assessSignature(nil, err), assessEncryption(err)
		if encryption.Code == AssessEncryptionUndecided && !aboutEncryption(err) {
			encryption = assessment(AssessNotChecked)
		}
		return signature, encryption
	case s == nil && e == nil:
		return assessment(AssessNotChecked), assessment(AssessNotChecked)
	}
	signature, encryption = assessment(AssessNotChecked), assessment(AssessNotChecked)
	if s != nil {
		signature = assessSignature(s, nil)
	}
	switch {
	case e == nil:
	case e.strength != nil:
		encryption = assessment(AssessWeakEncryption)
	case s != nil || e.Cipher.Authenticated():
		encryption = assessment(AssessEncrypted)
	default:
		encryption = assessment(AssessChangeable)
	}
	return signature, encryption
}

func assessment(c AssessmentCode) Assessment {
	return Assessment{Code: c, Severity: answers[c].severity, Text: answers[c].text}
}

func assessSignature(s *Signer, err error) Assessment {
	if err == nil && s == nil {
		err = ErrUnchecked
	}
	a := assessment(signatureCode(err))
	if err == nil && s.weak {
		// InsecureHistoric let it pass.
		a = assessment(AssessWeakSignature)
	}
	switch a.Code {
	case AssessSigned:
		a.Text = fmt.Sprintf(a.Text, s.names())
	case AssessOtherSigner:
		if e, ok := errors.AsType[*senderError](err); ok {
			a.Text = e.sentence()
		}
	}
	return a
}

// names returns the addresses of the signer for people.
func (s *Signer) names() string {
	if s.Mailbox() != "" {
		return addressText(s.Mailbox())
	}
	if all := s.Mailboxes(); len(all) > 0 {
		return addressText(all...)
	}
	return "the owner of a certificate without an address"
}

// addressText returns addresses for a sentence: quoted if they hold anything that
// could be taken for something else, and at most three of them.
func addressText(addresses ...string) string {
	var list []string
	for i, a := range addresses {
		if i == 3 {
			list = append(list, "others")
			break
		}
		if strings.Trim(a, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_+@") != "" || len(a) > quoted.Most {
			a = quote(a)
		}
		list = append(list, a)
	}
	if n := len(list); n > 1 {
		return strings.Join(list[:n-1], ", ") + " and " + list[n-1]
	}
	return list[0]
}

// A fact connects an error with the code of its answer.
type fact struct {
	err  error
	code AssessmentCode
}

// signatureFacts are in the order in which they count where an error is several.
var signatureFacts = [...]fact{
	{ErrUnchecked, AssessNotChecked},
	{errIsReceipt, AssessReceipt},
	{pkcs7.ErrDecrypt, AssessCannotDecrypt},
	{pkcs7.ErrKeyUnavailable, AssessEncryptionUndecided},
	{ErrLocked, AssessLocked},
	{pkcs7.ErrNoKey, AssessLocked},
	{ErrMixed, AssessPartlyEncrypted},
	{ErrSignedOutside, AssessSignedOutside},
	{ErrAmbiguousStructure, AssessContentUnclear},
	{ErrNotCovered, AssessPartlySigned},
	{pkcs7.ErrDigest, AssessChanged},
	{pkcs7.ErrSignature, AssessChanged},
	{ErrAmbiguousSender, AssessSenderUnclear},
	{pkcs7.ErrWeak, AssessWeakSignature},
	{pkcs7.ErrNoCertificate, AssessUnknownIssuer},
	{pkcs7.ErrUnsupported, AssessUnreadableSignature},
	{pkcs7.ErrSyntax, AssessUnreadableSignature},
	{ErrMalformed, AssessUnreadableSignature},
	{ErrSender, AssessOtherSigner},
	{ErrNotSigned, AssessUnsigned},
	{pkcs7.ErrNoSigner, AssessUnsigned},
	{ErrNotEncrypted, AssessUnsigned},
}

// signatureCode returns the code for an error about a signature.
func signatureCode(err error) AssessmentCode {
	if err == nil {
		return AssessSigned
	}
	if errors.Is(err, ErrLimit) {
		return AssessSignatureUndecided
	}
	// That a certificate names another address is the only reason of chain that is
	// about the sender.
	if e, ok := errors.AsType[*chain.Error](err); ok && !errors.Is(err, ErrSender) {
		return certificateCode(e)
	}
	for _, f := range signatureFacts {
		if errors.Is(err, f.err) {
			return f.code
		}
	}
	return AssessSignatureUndecided
}

// certificateCode returns the code for a certificate that was refused.
func certificateCode(e *chain.Error) AssessmentCode {
	switch e.Reason {
	case chain.ErrUnknownIssuer, chain.ErrBadSignature:
		if errors.Is(e, chain.ErrNoAnchors) {
			return AssessNoTrust
		}
		return AssessUnknownIssuer
	case chain.ErrExpired, chain.ErrNotYetValid:
		return AssessExpired
	case chain.ErrRevoked, chain.ErrDisallowed:
		return AssessRevoked
	case chain.ErrRevocationUnknown:
		return AssessStatusUnknown
	case chain.ErrWeakAlgorithm:
		return AssessWeakSignature
	case chain.ErrPolicy, chain.ErrLimit, chain.ErrSource, chain.ErrCheck:
		return AssessSignatureUndecided
	case chain.ErrMalformed:
		return AssessUnreadableSignature
	}
	return AssessNotForMail
}

var encryptionFacts = [...]fact{
	{ErrUnchecked, AssessNotChecked},
	{ErrMixed, AssessPartlyEncrypted},
	{ErrAmbiguousStructure, AssessContentUnclear},
	{pkcs7.ErrDecrypt, AssessCannotDecrypt},
	{pkcs7.ErrKeyUnavailable, AssessEncryptionUndecided},
	{pkcs7.ErrNoKey, AssessLocked},
	{ErrNotEncrypted, AssessNotEncrypted},
	{pkcs7.ErrWeak, AssessWeakEncryption},
	{ErrNotAuthenticated, AssessChangeable},
	{ErrLocked, AssessLocked},
}

// assessEncryption returns the answer for an error about encryption.
func assessEncryption(err error) Assessment {
	if err == nil {
		return assessment(AssessEncrypted)
	}
	for _, f := range encryptionFacts {
		if errors.Is(err, f.err) {
			return assessment(f.code)
		}
	}
	return assessment(AssessEncryptionUndecided)
}

// aboutEncryption reports whether an error of a verb can only be one of a message
// that is encrypted.
func aboutEncryption(err error) bool {
	for _, f := range encryptionFacts[1:] {
		if errors.Is(err, f.err) {
			return true
		}
	}
	return false
}

// sentence names both people.
func (e *senderError) sentence() string {
	signer := "somebody whose certificate has no address"
	if len(e.signer) > 0 {
		signer = addressText(e.signer...)
	}
	return fmt.Sprintf("Signed by %s, but sent in the name of %s.", signer, addressText(e.author))
}
