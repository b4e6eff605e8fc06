package smime

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/gosmime/gosmime/internal/mimetree"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/stream"
	"github.com/gosmime/gosmime/pkcs7"
)

// Encryption says how an entity was encrypted.
type Encryption struct {
	Cipher     pkcs7.Cipher
	Key        *Identity // the one that opened it
	Recipients []pkcs7.CertID
	// OuterHeader is the header section of the message, for [VerifyOptions].
	OuterHeader []byte
	// Notes say what was tolerated in this layer. They decide nothing.
	Notes []Note

	strength error // of the algorithms, where they pass as historic
}

// A decrypted layer is read through reader, which returns nothing before all
// of it was found to be good and can Seek.
type decrypted struct {
	reader *pkcs7.DecryptReader
	enc    *Encryption
	ids    []*Identity // that were offered
	mime   bool        // the content begins like a MIME entity
}

func (d *decrypted) close() { d.reader.Close() }

// decrypt opens the CMS object in the undecoded body of e.
func (l *layerReader) decrypt(e *entity, body io.Reader, src *stream.Source, keys Keyring, authenticated bool) (*decrypted, error) {
	d, err := l.envelope(e, body, src, keys, authenticated)
	if err != nil {
		return nil, err
	}
	if err := d.check(); err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

// envelope is decrypt up to where a key was found: nothing is decrypted yet.
func (l *layerReader) envelope(e *entity, body io.Reader, src *stream.Source, keys Keyring, authenticated bool) (*decrypted, error) {
	decoded, err := decodeCMS(e.part, body)
	if err != nil {
		return nil, err
	}
	if src.Open != nil {
		decoded = stream.NewRereader(decoded, sameBody(e.part, src.Open))
	}
	var ids []*Identity
	find := func(ctx context.Context, to []pkcs7.CertID) ([]pkcs7.DecryptionKey, error) {
		if keys == nil {
			return nil, nil
		}
		var err error
		if ids, err = keys.Find(ctx, to); err != nil {
			return nil, err
		}
		list := make([]pkcs7.DecryptionKey, 0, len(ids))
		for _, id := range ids {
			if id != nil {
				list = append(list, id.DecryptionKey())
			}
		}
		return list, nil
	}
	r, err := pkcs7.NewDecryptReader(l.ctx, decoded, find, &pkcs7.DecryptOptions{
		Limits: l.work.cms, RequireAuthenticated: authenticated, InsecureHistoric: l.historic, Withhold: true,
	})
	if err != nil {
		return nil, cmsError(err)
	}
	// RFC 8551 section 2.4.1. The type is not encrypted, so it is looked at
	// before anything is decrypted.
	if oid.FromX509(r.ContentType()) != oid.Data {
		r.Close()
		return nil, fmt.Errorf("%w: encrypted content of type %v is not mail", ErrMalformed, r.ContentType())
	}
	return &decrypted{reader: r, ids: ids, enc: &Encryption{Cipher: r.Cipher(), Recipients: r.Recipients(), OuterHeader: e.section}}, nil
}

// check decrypts all of the content and looks at its start.
func (d *decrypted) check() error {
	h := make([]byte, 4096)
	n, err := io.ReadFull(d.reader, h)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return cmsError(err)
	}
	d.enc.strength = d.reader.Strength()
	d.mime = beginsLikeMIME(h[:n])
	if _, err := d.reader.Seek(0, io.SeekStart); err != nil {
		return cmsError(err)
	}
	if cert := d.reader.Certificate(); cert != nil {
		for _, id := range d.ids {
			if id != nil && (id.opened == cert || id.cert != nil && bytes.Equal(id.cert.Raw, cert.Raw)) {
				d.enc.Key = id
			}
		}
	}
	return nil
}

// beginsLikeMIME reports whether b, the start of a content, is a header
// section or its beginning: a field, or the blank line after no fields. Nothing
// at all is no mail but tells an attacker nothing either.
func beginsLikeMIME(b []byte) bool {
	if len(b) == 0 || bytes.HasPrefix(b, []byte("\n")) || bytes.HasPrefix(b, []byte("\r\n")) {
		return true
	}
	line, _, _ := bytes.Cut(b, []byte("\n"))
	h, malformed, err := mimetree.ParseHeader(line, 0)
	return err == nil && malformed == 0 && len(h) == 1
}

func isEncrypted(kind oid.OID) bool {
	return kind == oid.EnvelopedData || kind == oid.AuthEnvelopedData
}

// notes returns what was tolerated in an encrypted layer that was opened.
func (d *decrypted) notes(p *mimetree.Part) []Note {
	notes := entityNotes(p)
	for _, deviation := range d.reader.Deviations() {
		notes = append(notes, Note{Code: NoteDeviation, Detail: deviation.String()})
	}
	if d.enc.strength != nil {
		notes = append(notes, Note{Code: NoteWeak, Detail: quote(d.enc.strength.Error())})
	}
	return notes
}
