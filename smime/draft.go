package smime

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"github.com/gosmime/gosmime/internal/mimetree"
	"github.com/gosmime/gosmime/internal/spool"
	"github.com/gosmime/gosmime/internal/stream"
)

// A draft is a message that was read once and is to be written in another
// form. Its parts are ranges of the input, which is read again for each use.
type draft struct {
	replay *spool.Replay
	at     io.ReaderAt
	root   *mimetree.Part
	work   *workload

	fields   []field // of the message, not of its structure
	boundary string  // a random one that does not occur
	bareLF   bool    // lines end in LF alone
	found    hazard  // anywhere in the message
	changed  bool    // fields had to be rewritten
}

// readDraft reads a message to its end and its header fields for sending.
func readDraft(ctx context.Context, r io.Reader, limits Limits) (*draft, error) {
	d := &draft{work: limits.workload(), boundary: newBoundary()}
	d.replay = spool.NewReplay(stream.ContextSource(ctx, r), d.work.cms.Budget(), d.work.cms.Dir)
	if err := d.read(); err != nil {
		d.close()
		return nil, inputError(err)
	}
	return d, nil
}

func (d *draft) read() error {
	inspector := &inspector{boundary: []byte("--" + d.boundary)}
	opts := d.work.scanOptions()
	opts.Enter = func(_, p *mimetree.Part) bool { return !untouchable(p) }
	behind := stream.NewBackgroundWriter(inspector)
	root, err := mimetree.Scan(io.TeeReader(d.replay, behind), &opts)
	if err := behind.Close(); err != nil {
		return err
	}
	if err != nil {
		return err
	}
	d.root, d.found = root, inspector.finish()
	if d.found&dashLine != 0 {
		return fmt.Errorf("%w: the message has the boundary that was chosen at random", ErrMalformed)
	}
	if d.at, _, err = d.replay.ReaderAt(); err != nil {
		return err
	}
	return d.readHeader()
}

// readHeader reads the fields of the message as they are to be sent.
func (d *draft) readHeader() error {
	switch {
	case d.root.Defects&mimetree.DuplicateField != 0:
		return fmt.Errorf("%w: Content-Type, Content-Transfer-Encoding or MIME-Version twice", ErrHeader)
	case d.root.Defects&mimetree.BadContentType != 0:
		return fmt.Errorf("%w: Content-Type: %s", ErrHeader, clip(strings.Join(d.root.Header.Get("Content-Type"), "")))
	case d.root.Defects&mimetree.MalformedHeader != 0 && !d.mboxLine():
		return fmt.Errorf("%w: a line of the header is no field", ErrHeader)
	}
	for i := range d.root.Header {
		in := &d.root.Header[i]
		if i == 0 {
			d.bareLF = !strings.HasSuffix(string(in.Raw), "\r\n")
		}
		if isStructural(in.Name) || isDropped(in.Name) {
			continue
		}
		f, changed, err := sendable(in)
		if err != nil {
			return err
		}
		d.changed = d.changed || changed
		d.fields = append(d.fields, f)
	}
	return nil
}

// mboxLine reports whether the only line that is no field is the first, the
// separator of an mbox file.
func (d *draft) mboxLine() bool {
	head := make([]byte, min(d.root.Body, 1<<20))
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

// close frees what was spooled.
func (d *draft) close() { _ = d.replay.Close() }

// section returns a reader of a range of the input.
func (d *draft) section(r mimetree.Range) *io.SectionReader {
	return io.NewSectionReader(d.at, r.Start, r.Len())
}

// layered reports whether the message is an S/MIME layer already: then its
// payload is inside, out of reach.
func (d *draft) layered() bool {
	form, _ := mimetree.FormOf(d.root)
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
