package thunderbird

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// patience is for one step, on a busy machine.
const patience = time.Minute

// A marionette is a connection to a running Thunderbird. A message is a JSON
// array with its length and a colon before it: [0, id, command, parameters],
// answered by [1, id, error, result].
type marionette struct {
	conn net.Conn
	in   *bufio.Reader
	id   int
}

// attach begins a session in which scripts may do everything that the
// program's own may do.
func attach(t *testing.T, addr string) *marionette {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	m := &marionette{conn: conn, in: bufio.NewReader(conn)}
	if _, err := m.receive(); err != nil { // the greeting
		t.Fatal(err)
	}
	for _, c := range []struct {
		name       string
		parameters map[string]any
	}{
		{"WebDriver:NewSession", map[string]any{"capabilities": map[string]any{"alwaysMatch": map[string]any{"unhandledPromptBehavior": "ignore"}}}},
		{"Marionette:SetContext", map[string]any{"value": "chrome"}},
		{"WebDriver:SetTimeouts", map[string]any{"script": 2 * patience.Milliseconds()}},
	} {
		if _, err := m.command(c.name, c.parameters); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func (m *marionette) receive() ([]byte, error) {
	if err := m.conn.SetReadDeadline(time.Now().Add(3 * patience)); err != nil {
		return nil, err
	}
	digits, err := m.in.ReadString(':')
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(strings.TrimSuffix(digits, ":"))
	if err != nil {
		return nil, err
	}
	b := make([]byte, n)
	_, err = io.ReadFull(m.in, b)
	return b, err
}

func (m *marionette) command(name string, parameters any) (json.RawMessage, error) {
	m.id++
	b, err := json.Marshal([]any{0, m.id, name, parameters})
	if err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(m.conn, "%d:%s", len(b), b); err != nil {
		return nil, err
	}
	if b, err = m.receive(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var answer [4]json.RawMessage
	if err := json.Unmarshal(b, &answer); err != nil {
		return nil, err
	}
	if string(answer[1]) != strconv.Itoa(m.id) {
		return nil, fmt.Errorf("%s: an answer to another command: %s", name, b)
	}
	if string(answer[2]) != "null" {
		return nil, fmt.Errorf("%s: %s", name, answer[2])
	}
	return answer[3], nil
}

// run runs a script of testdata as the body of an async function with args and
// stores what it returns.
func (m *marionette) run(t *testing.T, script string, args map[string]any, result any) {
	t.Helper()
	body := "const args = arguments[0], done = arguments[arguments.length - 1];\n(async () => {\n"
	for _, name := range []string{"prelude.js", script} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		body += string(b)
	}
	body += "\n})().then(value => done({ value: value ?? null }), e => done({ error: e + \"\\n\" + (e?.stack ?? \"\") }));"
	args["patience"] = patience.Milliseconds()
	b, err := m.command("WebDriver:ExecuteAsyncScript", map[string]any{"script": body, "args": []any{args}, "newSandbox": true, "sandbox": "system"})
	if err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	var answer struct {
		Value struct {
			Value json.RawMessage
			Error string
		}
	}
	if err := json.Unmarshal(b, &answer); err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	if answer.Value.Error != "" {
		t.Fatalf("%s: %s", script, answer.Value.Error)
	}
	if err := json.Unmarshal(answer.Value.Value, result); err != nil {
		t.Fatalf("%s: %v", script, err)
	}
}
