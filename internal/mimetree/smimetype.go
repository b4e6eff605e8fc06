package mimetree

import (
	"slices"
	"strings"
)

// A Form is what a header says about an entity (RFC 8551 section 3.10).
type Form uint8

const (
	FormPlain Form = iota
	FormClear      // multipart/signed by application/pkcs7-signature
	FormCMS        // a CMS object: its ContentInfo says which
)

// A Remark is something about a header that [FormOf] let pass.
type Remark struct {
	Code RemarkCode
	Text string // of the input, or empty
}

// RemarkCode says what a [Remark] is about.
type RemarkCode uint8

const (
	RemarkDuplicateField     RemarkCode = iota // DuplicateField
	RemarkMalformedHeader                      // MalformedHeader
	RemarkDuplicateParameter                   // a parameter of Content-Type occurs more than once
	RemarkLegacyType                           // a type that begins with application/x-
	RemarkNoProtocol                           // multipart/signed without protocol
	RemarkOtherProtocol                        // multipart/signed with a protocol that is not S/MIME
	RemarkRepeatedVersion                      // RepeatedVersion
	RemarkContentType                          // BadContentType
	RemarkParameter                            // OddParameter
	RemarkNoBoundary                           // BadBoundary
	RemarkBoundary                             // SloppyBoundary
	RemarkEncodedMultiple                      // EncodedMultiple
	RemarkByFileName                           // only the file name says that it is S/MIME
	RemarkWinmail                              // application/ms-tnef
	RemarkRightsManaged                        // RightsManaged
)

// defectRemarks are the defects that are remarked on.
var defectRemarks = [...]struct {
	defect Defect
	code   RemarkCode
}{
	{DuplicateField, RemarkDuplicateField},
	{RepeatedVersion, RemarkRepeatedVersion},
	{MalformedHeader, RemarkMalformedHeader},
	{BadContentType, RemarkContentType},
	{OddParameter, RemarkParameter},
	{BadBoundary, RemarkNoBoundary},
	{SloppyBoundary, RemarkBoundary},
	{EncodedMultiple, RemarkEncodedMultiple},
}

// remarks returns what is remarkable about the fields of a part.
func (p *Part) remarks() []Remark {
	var list []Remark
	for _, x := range defectRemarks {
		if p.Defects&x.defect == 0 {
			continue
		}
		r := Remark{Code: x.code}
		switch x.code {
		case RemarkRepeatedVersion:
			r.Text = "MIME-Version"
		case RemarkBoundary:
			r.Text = p.Type.Params["boundary"]
		case RemarkEncodedMultiple:
			r.Text = p.Encoding
		}
		list = append(list, r)
	}
	for _, d := range p.Type.Duplicate {
		list = append(list, Remark{RemarkDuplicateParameter, d})
	}
	return list
}

// FormOf decides what a part claims to be. Two fields of one name that matters
// make it plain (see [DuplicateField]).
func FormOf(p *Part) (Form, []Remark) {
	remarks := p.remarks()
	remark := func(code RemarkCode, text string) { remarks = append(remarks, Remark{code, text}) }
	switch t := p.Type.Type; t {
	case "multipart/signed":
		protocol, given := p.Type.Params["protocol"]
		protocol = strings.ToLower(protocol)
		switch {
		case p.Defects&BadBoundary != 0:
			return FormPlain, remarks
		case IsSignatureType(protocol):
			if strings.HasPrefix(protocol, "application/x-") {
				remark(RemarkLegacyType, protocol)
			}
		case !given && len(p.Children) == 2 && IsSignatureType(p.Children[1].Type.Type), !given && len(p.Children) == 0:
			remark(RemarkNoProtocol, "")
		case given:
			remark(RemarkOtherProtocol, protocol)
			return FormPlain, remarks
		default:
			remark(RemarkNoProtocol, "")
			return FormPlain, remarks
		}
		return FormClear, remarks
	case "application/pkcs7-mime", "application/x-pkcs7-mime", "application/pkcs7-signature", "application/x-pkcs7-signature":
		if strings.HasPrefix(t, "application/x-") {
			remark(RemarkLegacyType, t)
		}
		return FormCMS, remarks
	case "application/octet-stream":
		// The file name is a fallback where the type says nothing.
		if name, ok := CMSFileName(p); ok {
			remark(RemarkByFileName, name)
			return FormCMS, remarks
		}
		if RightsManaged(p) {
			remark(RemarkRightsManaged, "")
		}
	case rpmsgType:
		remark(RemarkRightsManaged, "")
	case "application/ms-tnef":
		remark(RemarkWinmail, "")
	}
	return FormPlain, remarks
}

// IsSignatureType reports whether a media type is that of a detached signature.
func IsSignatureType(t string) bool {
	return t == "application/pkcs7-signature" || t == "application/x-pkcs7-signature"
}

const rpmsgType = "application/x-microsoft-rpmsg-message"

// RightsManaged reports whether a part is a message that rights management
// (MS-OXORMMS) or Office Message Encryption protects: message.rpmsg.
func RightsManaged(p *Part) bool {
	if p.Type.Type == rpmsgType {
		return true
	}
	return p.Type.Type == "application/octet-stream" && slices.ContainsFunc(fileNames(p), func(n string) bool {
		return strings.HasSuffix(strings.ToLower(n), ".rpmsg")
	})
}

// fileNames returns the names that a part gives itself.
func fileNames(p *Part) []string {
	names := []string{p.Type.Params["name"]}
	for _, d := range p.Header.Get("Content-Disposition") {
		if m, err := ParseMediaType(d); err == nil {
			names = append(names, m.Params["filename"])
		}
	}
	return names
}

// CMSFileName returns the name of a part if it ends like one of S/MIME.
func CMSFileName(p *Part) (string, bool) {
	for _, n := range fileNames(p) {
		if i := strings.LastIndexByte(n, '.'); i >= 0 {
			switch strings.ToLower(n[i+1:]) {
			case "p7m", "p7s", "p7c", "p7z":
				return n, true
			}
		}
	}
	return "", false
}

// IsMessage reports whether p has a message inside, whatever its charset.
func (p *Part) IsMessage() bool {
	return p.Type.Type == "message/rfc822" || p.Type.Type == "message/global"
}
