package prepare

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"io"
	"strings"

	"github.com/gosmime/gosmime/internal/budget"
	"github.com/gosmime/gosmime/internal/mimetree"
	"github.com/gosmime/gosmime/internal/quoted"
	"github.com/gosmime/gosmime/internal/spool"
	"github.com/gosmime/gosmime/internal/stream"
)

// A Message is one that was read once and is to be written in another
// form. Its parts are ranges of the input, which is read again for each use.
type Message struct {
	Root     *mimetree.Part
	Fields   []Field // of the message, not of its structure
	Boundary string  // a random one that does not occur in the message
	Changed  bool    // fields had to be rewritten

	replay  *spool.Replay
	at      io.ReaderAt
	bareLF  bool    // lines end in LF alone
	hazards hazards // anywhere in the message
}

// Options bound what a message costs.
type Options struct {
	Scan   mimetree.Options // Enter and Tap are not used
	Budget *budget.Budget   // of the copy that is kept of an input that can't be read again
	Dir    string           // for its temporary file
}

// Read reads a message to its end and its header fields for sending. Errors of
// limits are those of packages mimetree and budget, others of the message an
// [*Error]. The caller must call [Message.Close]; r is used until then.
func Read(ctx context.Context, r io.Reader, opts Options) (*Message, error) {
	d := &Message{Boundary: newBoundary()}
	d.replay = spool.NewReplay(stream.ContextSource(ctx, r), opts.Budget, opts.Dir)
	if err := d.read(opts.Scan); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

func (d *Message) read(opts mimetree.Options) error {
	scanner := &transportScanner{boundary: []byte("--" + d.Boundary)}
	opts.Enter = func(_, p *mimetree.Part) bool { return !untouchable(p) }
	behind := stream.NewBackgroundWriter(scanner)
	root, err := mimetree.Scan(io.TeeReader(d.replay, behind), &opts)
	if err := behind.Close(); err != nil {
		return err
	}
	if err != nil {
		return err
	}
	d.Root, d.hazards = root, scanner.finish()
	if d.hazards&dashLine != 0 {
		return &Error{Problem: Malformed, Detail: "the message has the boundary that was chosen at random"}
	}
	if d.at, _, err = d.replay.ReaderAt(); err != nil {
		return err
	}
	return d.readHeader()
}

// readHeader reads the fields of the message as they are to be sent.
func (d *Message) readHeader() error {
	switch {
	case d.Root.Defects&mimetree.DuplicateField != 0:
		return &Error{Problem: BadHeader, Detail: "Content-Type, Content-Transfer-Encoding or MIME-Version twice"}
	case d.Root.Defects&mimetree.BadContentType != 0:
		return &Error{Problem: BadHeader, Detail: "Content-Type: " + quoted.Text(strings.Join(d.Root.Header.Get("Content-Type"), ""))}
	case d.Root.Defects&mimetree.MalformedHeader != 0 && !d.mboxLine():
		return &Error{Problem: BadHeader, Detail: "a line of the header is no Field"}
	}
	for i := range d.Root.Header {
		in := &d.Root.Header[i]
		if i == 0 {
			d.bareLF = !strings.HasSuffix(string(in.Raw), "\r\n")
		}
		if IsStructural(in.Name) || IsDropped(in.Name) {
			continue
		}
		f, changed, err := Sendable(in)
		if err != nil {
			return err
		}
		d.Changed = d.Changed || changed
		d.Fields = append(d.Fields, f)
	}
	return nil
}

// mboxLine reports whether the only line that is no Field is the first, the
// separator of an mbox file.
func (d *Message) mboxLine() bool {
	head := make([]byte, min(d.Root.Body, 1<<20))
	if _, err := d.at.ReadAt(head, 0); err != nil && err != io.EOF {
		return false
	}
	if !strings.HasPrefix(string(head), "From ") {
		return false
	}
	line := strings.IndexByte(string(head), '\n') + 1
	_, malformed, err := mimetree.ParseHeader(head[line:], int64(line))
	return err == nil && malformed == 0
}

// Close frees what was spooled.
func (d *Message) Close() { _ = d.replay.Close() }

// Section returns a reader of a range of the input.
func (d *Message) Section(r mimetree.Range) *io.SectionReader {
	return io.NewSectionReader(d.at, r.Start, r.Len())
}

// IsSMIME reports whether the message is an S/MIME layer already: then its
// payload is inside, out of reach.
func (d *Message) IsSMIME() bool {
	form, _ := mimetree.FormOf(d.Root)
	return form != mimetree.FormPlain
}

// newBoundary returns a boundary that no transfer encoding can produce
// (RFC 2046 section 5.1.1; RFC 2045 section 6.7 rule 5: "=_" is neither
// quoted-printable nor base64).
func newBoundary() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	return "=_" + hex.EncodeToString(b)
}

// untouchable reports whether a part must be passed on octet by octet: what
// somebody signed or encrypted under RFC 1847.
func untouchable(p *mimetree.Part) bool {
	return p.Type.Type == "multipart/signed" || p.Type.Type == "multipart/encrypted"
}
