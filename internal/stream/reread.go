package stream

import "io"

// A Rewind is where a source was when it was made.
type Rewind struct {
	r     io.Reader
	s     io.Seeker
	start int64
}

// NewRewind returns nil if src can't tell where it is. Seek of a pipe fails, for
// example.
func NewRewind(src io.Reader) *Rewind {
	s, ok := src.(io.Seeker)
	if !ok {
		return nil
	}
	start, err := s.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil
	}
	return &Rewind{src, s, start}
}

// Start returns the offset of the source that counts as its start.
func (r *Rewind) Start() int64 { return r.start }

// Reopen is Open for a source that is being read: [Rewind.Return] goes on at now.
func (r *Rewind) Reopen() (src io.Reader, now int64, err error) {
	if now, err = r.s.Seek(0, io.SeekCurrent); err != nil {
		return nil, 0, err
	}
	src, err = r.Open()
	return src, now, err
}

// Return goes to the offset that Reopen returned.
func (r *Rewind) Return(now int64) error {
	_, err := r.s.Seek(now, io.SeekStart)
	return err
}

// Open goes back to the start and returns the source.
func (r *Rewind) Open() (io.Reader, error) {
	if _, err := r.s.Seek(r.start, io.SeekStart); err != nil {
		return nil, err
	}
	return r.r, nil
}

// A Source is an input that can perhaps be read again from its start.
type Source struct {
	Reader io.Reader
	Open   func() (io.Reader, error) // starts again; nil: the input can be read once
}

// NewSource returns r as a Source, which can be read again if r seeks.
func NewSource(r io.Reader) *Source {
	s := &Source{Reader: r}
	if again := NewRewind(r); again != nil {
		s.Open = again.Open
	}
	return s
}

// Watch returns a Source that keeps each error of s in failure, save io.EOF.
func (s *Source) Watch(failure *error) *Source {
	watched := &Source{Reader: Watch(s.Reader, failure)}
	if s.Open != nil {
		watched.Open = func() (io.Reader, error) {
			r, err := s.Open()
			if err != nil {
				*failure = err
			}
			return Watch(r, failure), err
		}
	}
	return watched
}

// Watch returns a reader that keeps each error of r in failure, save io.EOF.
func Watch(r io.Reader, failure *error) io.Reader { return &watchedReader{r, failure} }

type watchedReader struct {
	r       io.Reader
	failure *error
}

func (w *watchedReader) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if err != nil && err != io.EOF {
		*w.failure = err
	}
	return n, err
}

// A Rereader is a stream that can be read again from any offset that it has
// passed. It is an io.Seeker, so that a spool of it keeps no copy.
type Rereader struct {
	open func() (io.Reader, error)
	r    io.Reader // nil: to be opened
	pos  int64     // of r
	skip int64     // to be passed before the next octet is returned
}

// NewRereader returns a Rereader of first. open returns the same octets again;
// if it is nil, Seek fails.
func NewRereader(first io.Reader, open func() (io.Reader, error)) *Rereader {
	return &Rereader{open: open, r: first}
}

func (r *Rereader) Read(p []byte) (int, error) {
	if r.r == nil {
		var err error
		if r.r, err = r.open(); err != nil {
			return 0, err
		}
	}
	if r.skip > 0 {
		n, err := io.CopyN(io.Discard, r.r, r.skip)
		r.pos += n
		r.skip -= n
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return 0, err
		}
	}
	n, err := r.r.Read(p)
	r.pos += int64(n)
	return n, err
}

// Seek returns the offset, or goes to one that is given from the start.
func (r *Rereader) Seek(offset int64, whence int) (int64, error) {
	at := r.pos + r.skip
	switch {
	case whence == io.SeekCurrent && offset == 0:
		if r.open == nil {
			return 0, ErrNoRewind
		}
		return at, nil
	case whence != io.SeekStart || offset < 0 || r.open == nil:
		return 0, ErrNoRewind
	case offset >= r.pos && r.r != nil:
		r.skip = offset - r.pos
	default:
		r.r, r.pos, r.skip = nil, 0, offset
	}
	return offset, nil
}
