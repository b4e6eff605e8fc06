package main

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"
)

// A sink is the next hop: it keeps what it gets.
type sink struct {
	addr string
	mu   sync.Mutex
	got  []delivered
	// refuse, if not nil, says which recipients are refused.
	refuse func(to []string) error
}

type delivered struct {
	to    []string
	mail  []byte
	param string // of MAIL
}

func newSink(t *testing.T) *sink {
	t.Helper()
	s := &sink{}
	s.addr = listen(t, s)
	return s
}

// listen serves a backend on loopback until the test ends.
func listen(t *testing.T, b smtp.Backend) string {
	t.Helper()
	return listenWith(t, b, func(*smtp.Server) {})
}

// listenWith is listen for a server that is set up otherwise.
func listenWith(t *testing.T, b smtp.Backend, change func(*smtp.Server)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := newServer(b, "localhost")
	change(srv)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(l) // ends with an error when it is closed
	}()
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
		<-done
	})
	return l.Addr().String()
}

// NewSession implements smtp.Backend.
func (s *sink) NewSession(*smtp.Conn) (smtp.Session, error) { return &sinkSession{sink: s}, nil }

type sinkSession struct {
	sink  *sink
	to    []string
	param string
}

func (s *sinkSession) Reset()        { s.to = nil }
func (s *sinkSession) Logout() error { return nil }
func (s *sinkSession) Mail(_ string, o *smtp.MailOptions) error {
	s.param = ""
	if o.UTF8 {
		s.param = "SMTPUTF8"
	}
	return nil
}
func (s *sinkSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = append(s.to, to)
	return nil
}

func (s *sinkSession) Data(r io.Reader) error {
	var b bytes.Buffer
	if _, err := b.ReadFrom(r); err != nil {
		return err
	}
	s.sink.mu.Lock()
	defer s.sink.mu.Unlock()
	if s.sink.refuse != nil {
		if err := s.sink.refuse(s.to); err != nil {
			return err
		}
	}
	s.sink.got = append(s.sink.got, delivered{s.to, b.Bytes(), s.param})
	return nil
}

// take returns what came and forgets it.
func (s *sink) take() []delivered {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := s.got
	s.got = nil
	return got
}
