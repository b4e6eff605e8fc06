package smime

import (
	"fmt"

	"github.com/gosmime/gosmime/internal/mimetree"
)

// A Note says what was tolerated in a layer.
type Note struct {
	Code   NoteCode
	Part   []int
	Detail string // quoted; may hold text of the message
}

// NoteCode says what a [Note] is about.
type NoteCode uint8

const (
	_                      NoteCode = iota
	NoteMicalg                      // micalg is not the digest of the signature
	NoteLocalPartCase               // the address differs from the certificate's in case
	NoteEpilogue                    // text after the last part, unsigned
	NotePreamble                    // text before the first part, unsigned
	NoteUnclosed                    // the last boundary is missing
	NoteProtocol                    // multipart/signed without protocol
	NoteLegacyType                  // an x- type
	NoteByFileName                  // recognised by its file name alone
	NoteSMIMEType                   // smime-type is not what the content is
	NoteLineEnds                    // the signature holds for the content with line ends as CR LF, not as received
	NoteDuplicateParameter          // a parameter of a header field stands there twice
	NoteDuplicateField              // a header field that decides the structure stands there twice
	NoteMalformedHeader             // a line of the header is no field, or only to some programs
	NoteTransferEncoding            // base64 not as RFC 2045 has it
	NoteSenderField                 // the Sender field names somebody else than From
	NoteDisplayName                 // text beside the address, or its local part, looks like an address
	NoteOldHeader                   // headers protected as before RFC 9788, shown as unprotected
	NoteHeaderDiffers               // a protected field differs from the one outside
	NoteWinmail                     // a winmail.dat (TNEF), which may hide a message
	NoteAttribute                   // a signed attribute can't be read
	NoteMailingList                 // expanded by a mailing list that signed so (RFC 2634 section 4)
	NoteSecurityLabel               // has a security label (RFC 2634 section 3)
	NoteNotAddressed                // the reader's certificate names no address in To or Cc of the signed header
	NoteEmbeddedContent             // the signature of a multipart/signed has the content inside as well
	NoteCharset                     // a charset in which text can be read as something else
	NoteUnreadable                  // a layer that can't be read, and why
	NoteDeviation                   // the CMS departs from the standards, see pkcs7.Deviation
	NoteOtherProtocol               // the protocol of a multipart/signed is not the type of its second part
	NoteContentType                 // a Content-Type that can't be read
	NoteParameter                   // a parameter of Content-Type that RFC 2045 does not allow as it is
	NoteNoBoundary                  // a multipart without a usable boundary
	NoteBoundary                    // a boundary that other programs read differently, without effect here
	NoteEncodedMultipart            // a transfer encoding on a multipart, which changes nothing (RFC 2045 section 6.4)
	NoteNoHeader                    // decrypted content without a MIME header
	NoteStructure                   // other programs may show other text, and why
	NoteRightsManaged               // a message.rpmsg of rights management or Office Message Encryption, which this package can't open
	NoteSensitivityLabel            // a sensitivity label (msip_labels), which is not signed and whose protection this package does not know
	NoteWeak                        // the way to the content key is below the floor for some recipient, such as RSA with 1024 bits
	NoteOuterSignature              // a signature outside of the encryption, or around another one, does not hold, and why
)

var noteText = [...]string{
	NoteMicalg: "micalg differs", NoteLocalPartCase: "address differs in case", NoteEpilogue: "unsigned text after the last part",
	NotePreamble: "unsigned text before the first part", NoteUnclosed: "closing boundary missing", NoteProtocol: "no protocol",
	NoteLegacyType: "legacy type", NoteByFileName: "recognised by file name", NoteSMIMEType: "smime-type differs",
	NoteLineEnds: "line ends changed", NoteDuplicateParameter: "duplicate parameter", NoteDuplicateField: "duplicate header field",
	NoteMalformedHeader: "malformed header line", NoteTransferEncoding: "sloppy base64", NoteSenderField: "other Sender",
	NoteDisplayName: "display name looks like an address", NoteOldHeader: "old header protection", NoteHeaderDiffers: "header field differs outside",
	NoteWinmail: "winmail.dat", NoteAttribute: "unreadable attribute",
	NoteMailingList: "mailing list expansion", NoteSecurityLabel: "security label", NoteNotAddressed: "not addressed to the reader",
	NoteEmbeddedContent: "content twice", NoteCharset: "ambiguous charset", NoteUnreadable: "unreadable",
	NoteDeviation: "deviation from CMS", NoteOtherProtocol: "other protocol", NoteContentType: "unreadable Content-Type",
	NoteParameter: "odd parameter", NoteNoBoundary: "no usable boundary", NoteBoundary: "sloppy boundary",
	NoteEncodedMultipart: "transfer encoding on a multipart", NoteNoHeader: "no MIME header", NoteStructure: "ambiguous structure",
	NoteRightsManaged: "protected by rights management", NoteSensitivityLabel: "sensitivity label",
	NoteWeak: "weak algorithm", NoteOuterSignature: "outer signature does not hold",
}

// String returns the note as a few words of text.
func (c NoteCode) String() string {
	if int(c) < len(noteText) && noteText[c] != "" {
		return noteText[c]
	}
	return fmt.Sprintf("note %d", uint8(c))
}

// headerNotes has the notes for what was remarked about a header.
var headerNotes = [...]NoteCode{
	mimetree.RemarkDuplicateField: NoteDuplicateField, mimetree.RemarkMalformedHeader: NoteMalformedHeader,
	mimetree.RemarkDuplicateParameter: NoteDuplicateParameter, mimetree.RemarkLegacyType: NoteLegacyType,
	mimetree.RemarkNoProtocol: NoteProtocol, mimetree.RemarkByFileName: NoteByFileName, mimetree.RemarkWinmail: NoteWinmail,
	mimetree.RemarkRightsManaged: NoteRightsManaged,
	mimetree.RemarkOtherProtocol: NoteOtherProtocol, mimetree.RemarkRepeatedVersion: NoteDuplicateField,
	mimetree.RemarkContentType: NoteContentType, mimetree.RemarkParameter: NoteParameter, mimetree.RemarkNoBoundary: NoteNoBoundary,
	mimetree.RemarkBoundary: NoteBoundary, mimetree.RemarkEncodedMultiple: NoteEncodedMultipart,
}
