package fetch

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/ocsp"
)

// newClient returns the HTTP client: no proxy of the environment, no cookies,
// no decompression, connections only to addresses that control lets through.
func (c *Client) newClient() *http.Client {
	d := &net.Dialer{Timeout: c.timeout(), Control: c.control}
	return &http.Client{
		Transport: &http.Transport{
			DialContext:            d.DialContext,
			DisableCompression:     true,
			TLSHandshakeTimeout:    c.timeout(),
			ResponseHeaderTimeout:  c.timeout(),
			MaxResponseHeaderBytes: 64 << 10,
			MaxIdleConns:           2 * slotsOfKind,
			MaxIdleConnsPerHost:    2,
			MaxConnsPerHost:        8,
			IdleConnTimeout:        30 * time.Second,
		},
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects {
				return problem(ErrRedirect, "more than %d", maxRedirects)
			}
			req.Header.Del("Referer")
			return c.allowed(req.URL)
		},
	}
}

// retrieve gets an answer and says until when to remember it without proof: of
// a failure for a while, of anything else not at all.
func (c *Client) retrieve(ctx context.Context, kind chain.Kind, u *url.URL, request []byte) (answer, time.Time) {
	body, err := c.request(ctx, kind, u, request)
	var a answer
	if err == nil {
		a.elements, err = decode(kind, body)
	}
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return answer{err: err}, c.now().Add(keepFailure)
	}
	return a, time.Time{}
}

// request sends what is to be sent, an OCSP request by GET first where it is
// small enough (RFC 9919, RFC 6960 appendix A.1).
func (c *Client) request(ctx context.Context, kind chain.Kind, u *url.URL, request []byte) ([]byte, error) {
	if kind != chain.KindOCSPResponse {
		return c.do(ctx, http.MethodGet, u.String(), kind, nil)
	}
	get := strings.TrimSuffix(u.String(), "/") + "/" + url.QueryEscape(base64.StdEncoding.EncodeToString(request))
	if len(get) <= 255 && u.RawQuery == "" && u.Fragment == "" {
		body, err := c.do(ctx, http.MethodGet, get, kind, nil)
		if !onlyPOST(body, err) {
			return body, err
		}
	}
	return c.do(ctx, http.MethodPost, u.String(), kind, request)
}

// onlyPOST reports whether the answer to a GET is that of a responder who knows
// only POST: an HTTP status, a page, or malformedRequest.
func onlyPOST(body []byte, err error) bool {
	const malformedRequest = "\x30\x03\x0a\x01\x01"
	if err != nil {
		return errors.Is(err, ErrStatus)
	}
	_, err = ocsp.Parse(body)
	return err != nil && err != ocsp.ErrStatus || string(body) == malformedRequest
}

func (c *Client) do(ctx context.Context, method, target string, kind chain.Kind, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return nil, problem(ErrURL, "%s", quote(target))
	}
	req.Header.Set("User-Agent", "gosmime")
	req.Header.Set("Accept-Encoding", "identity")
	if kind == chain.KindOCSPResponse {
		req.Header.Set("Accept", "application/ocsp-response")
		if method == http.MethodPost {
			req.Header.Set("Content-Type", "application/ocsp-request")
		}
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return nil, shorten(err)
	}
	defer resp.Body.Close() // nothing was written
	if resp.StatusCode != http.StatusOK {
		return nil, problem(ErrStatus, "%d", resp.StatusCode)
	}
	if e := resp.Header.Get("Content-Encoding"); e != "" && e != "identity" || resp.Uncompressed {
		return nil, problem(ErrContent, "encoded as %s", quote(e))
	}
	most := c.most(kind)
	if resp.ContentLength > most {
		return nil, problem(ErrTooLarge, "%d octets announced", resp.ContentLength)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	if err != nil {
		return nil, shorten(err)
	}
	if int64(len(data)) > most {
		return nil, problem(ErrTooLarge, "more than %d octets", most)
	}
	return data, nil
}

// shorten takes the URL, which may be long, out of an error of net/http.
func shorten(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}
