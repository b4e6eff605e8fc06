// Package servertest runs real servers, as Debian packs them, for tests.
package servertest

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os/exec"
	"testing"
	"time"
)

const (
	attempts = 5
	patience = 2 * time.Minute // for a busy machine; a server that ends is not waited for
	interval = 20 * time.Millisecond
)

// A Server runs until its test ends or it is stopped.
type Server struct {
	Ports []int

	cmd   *exec.Cmd
	log   bytes.Buffer // to be read once ended is done
	ended context.Context
}

// Start runs the server that command returns, with so many ports of 127.0.0.1 that were free
// for TCP and UDP, and returns when it is ready. A server that ends before, as
// when somebody else took a port meanwhile, is started anew on others.
func Start(t testing.TB, ports int, command func(ports []int) *exec.Cmd, ready func(ports []int) error) *Server {
	t.Helper()
	var err error
	for range attempts {
		s := &Server{Ports: freePorts(t, ports)}
		s.start(t, command(s.Ports))
		if err = s.await(ready); err == nil {
			return s
		}
		ended := s.ended.Err() != nil
		s.Stop()
		err = fmt.Errorf("%w\n%s", err, &s.log)
		if !ended {
			break // another would not be ready either, and the test runs out of time
		}
	}
	t.Fatal(err)
	return nil
}

func (s *Server) start(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	s.cmd = cmd
	cmd.Stdout, cmd.Stderr = &s.log, &s.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancelCause(context.Background())
	s.ended = ctx
	go func() { end(fmt.Errorf("%s ended: %v", cmd.Path, cmd.Wait())) }()
	t.Cleanup(func() {
		s.Stop()
		if t.Failed() {
			t.Logf("%s: %s", cmd.Path, &s.log)
		}
	})
}

// await returns nil when the server runs and is ready.
func (s *Server) await(ready func(ports []int) error) error {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		err := ready(s.Ports)
		if s.ended.Err() != nil { // somebody else answered
			return context.Cause(s.ended)
		}
		if err == nil {
			return nil
		}
		select {
		case <-deadline.C:
			return fmt.Errorf("%s is not ready: %w", s.cmd.Path, err)
		case <-s.ended.Done():
			return context.Cause(s.ended)
		case <-tick.C:
		}
	}
}

// Stop kills the server and returns when it has gone. It may be called again.
func (s *Server) Stop() {
	_ = s.cmd.Process.Kill() // it may have ended
	<-s.ended.Done()
}

// freePorts returns ports that nobody listens at, at this moment.
func freePorts(t testing.TB, n int) []int {
	t.Helper()
	var ports []int
	for tries := 0; len(ports) < n; tries++ {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		u, err := net.ListenPacket("udp", l.Addr().String())
		if err != nil && tries < 100 {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		defer u.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

// Dial is for ready: it says whether something listens.
func Dial(network, address string) error {
	c, err := net.Dial(network, address)
	if err != nil {
		return err
	}
	return c.Close()
}
