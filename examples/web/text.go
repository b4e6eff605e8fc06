package main

import (
	"bufio"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/textproto"
	"strings"
)

// maxText bounds what the page shows.
const maxText = 1 << 20

// maxDepth bounds the search for plain text.
const maxDepth = 10

// plainText returns the first text/plain part of an entity and its charset,
// nothing if there is none.
func plainText(r io.Reader) (text []byte, charset string) {
	br := bufio.NewReader(r)
	h, err := textproto.NewReader(br).ReadMIMEHeader()
	if err != nil {
		return nil, ""
	}
	text, charset, err = textOf(h, br, 0)
	if err != nil {
		return nil, ""
	}
	return text, charset
}

var errNoText = errors.New("no plain text")

func textOf(h textproto.MIMEHeader, body io.Reader, depth int) (text []byte, charset string, err error) {
	value := h.Get("Content-Type")
	if value == "" {
		value = "text/plain; charset=us-ascii"
	}
	typ, params, err := mime.ParseMediaType(value)
	if err != nil {
		return nil, "", err
	}
	if strings.HasPrefix(typ, "multipart/") && depth < maxDepth {
		parts := multipart.NewReader(body, params["boundary"])
		for {
			p, err := parts.NextRawPart()
			if err != nil {
				return nil, "", errNoText
			}
			if text, charset, err := textOf(p.Header, p, depth+1); err == nil {
				return text, charset, nil
			}
		}
	}
	shown, _, _ := strings.Cut(h.Get("Content-Disposition"), ";")
	if typ != "text/plain" || strings.EqualFold(strings.TrimSpace(shown), "attachment") {
		return nil, "", errNoText
	}
	switch strings.ToLower(h.Get("Content-Transfer-Encoding")) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	text, err = io.ReadAll(io.LimitReader(body, maxText))
	return text, params["charset"], err
}
