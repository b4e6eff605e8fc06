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

// plainText returns the first text/plain part of an entity.
func plainText(r io.Reader) (string, error) {
	br := bufio.NewReader(r)
	h, err := textproto.NewReader(br).ReadMIMEHeader()
	if err != nil {
		return "", err
	}
	return textOf(h, br, 0)
}

var errNoText = errors.New("no plain text")

func textOf(h textproto.MIMEHeader, body io.Reader, depth int) (string, error) {
	value := h.Get("Content-Type")
	if value == "" {
		value = "text/plain"
	}
	typ, params, err := mime.ParseMediaType(value)
	if err != nil {
		return "", err
	}
	if strings.HasPrefix(typ, "multipart/") && depth < maxDepth {
		parts := multipart.NewReader(body, params["boundary"])
		for {
			p, err := parts.NextRawPart()
			if err != nil {
				return "", errNoText
			}
			if text, err := textOf(p.Header, p, depth+1); err == nil {
				return text, nil
			}
		}
	}
	if typ != "text/plain" || strings.HasPrefix(h.Get("Content-Disposition"), "attachment") {
		return "", errNoText
	}
	switch strings.ToLower(h.Get("Content-Transfer-Encoding")) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	b, err := io.ReadAll(io.LimitReader(body, maxText))
	if err != nil {
		return "", err
	}
	return strings.ToValidUTF8(string(b), "\uFFFD"), nil
}
