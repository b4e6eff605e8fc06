package thunderbird

import (
	"errors"
	"io"
	"net"
	"net/textproto"
	"strings"
	"testing"
	"time"
)

// A sink is an SMTP server that takes everything for one client.
type sink struct {
	port int
	mail chan []byte
}

func newSink(t *testing.T) *sink {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &sink{port: l.Addr().(*net.TCPAddr).Port, mail: make(chan []byte, 10)}
	ended := make(chan error)
	t.Cleanup(func() {
		l.Close()
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				ended <- err
				return
			}
			if err := s.serve(textproto.NewConn(conn)); err != nil && !errors.Is(err, io.EOF) {
				t.Log(err) // the mail that did not arrive is missed
			}
			conn.Close()
		}
	}()
	return s
}

// serve answers one client until it says QUIT.
func (s *sink) serve(c *textproto.Conn) error {
	if err := c.PrintfLine("220 sink.example ESMTP"); err != nil {
		return err
	}
	for {
		line, err := c.ReadLine()
		if err != nil {
			return err
		}
		verb, _, _ := strings.Cut(strings.ToUpper(line), " ")
		answer := "250 ok"
		switch verb {
		case "EHLO":
			answer = "250-sink.example\r\n250 8BITMIME"
		case "DATA":
			if err := c.PrintfLine("354 go on"); err != nil {
				return err
			}
			b, err := c.ReadDotBytes()
			if err != nil {
				return err
			}
			s.mail <- []byte(strings.ReplaceAll(string(b), "\n", "\r\n"))
		case "QUIT":
			return c.PrintfLine("221 bye")
		}
		if err := c.PrintfLine("%s", answer); err != nil {
			return err
		}
	}
}

// next returns the next mail that arrives.
func (s *sink) next(t *testing.T) []byte {
	t.Helper()
	select {
	case b := <-s.mail:
		return b
	case <-time.After(patience):
		t.Fatal("no mail arrived")
		return nil
	}
}
