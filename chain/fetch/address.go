package fetch

import (
	"net/netip"
	"net/url"
	"strings"
	"syscall"
)

// checkURL reads a URL and refuses what could reach elsewhere than the web.
func (c *Client) checkURL(s string) (*url.URL, error) {
	if len(s) > maxURL {
		return nil, problem(ErrURL, "%d octets", len(s))
	}
	u, err := url.Parse(s)
	if err != nil {
		return nil, problem(ErrURL, "%s", quote(s))
	}
	return u, c.allowed(u)
}

func (c *Client) allowed(u *url.URL) error {
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Opaque != "" {
		return problem(ErrURL, "%s", quote(u.Redacted()))
	}
	if c.InsecurePrivateAddresses || c.InsecureClient != nil {
		return nil
	}
	if p := u.Port(); p != "" && p != "80" && p != "443" {
		return problem(ErrURL, "port %s", quote(p))
	}
	// A name that is an address is refused before anything is resolved.
	if a, err := netip.ParseAddr(u.Hostname()); err == nil && !public(a) {
		return problem(ErrAddress, "%s", quote(u.Hostname()))
	}
	return nil
}

// control is the net.Dialer's: it sees the address that a connection is about
// to be made to, after all name resolution, so that no name can change in
// between.
func (c *Client) control(network, address string, _ syscall.RawConn) error {
	if !strings.HasPrefix(network, "tcp") {
		return problem(ErrAddress, "network %s", quote(network))
	}
	if c.InsecurePrivateAddresses {
		return nil
	}
	ap, err := netip.ParseAddrPort(address)
	if err != nil || !public(ap.Addr()) {
		return problem(ErrAddress, "%s", quote(address))
	}
	return nil
}

// public reports whether a is a unicast address of the public Internet, by the
// registries of special-purpose addresses of RFC 6890.
func public(a netip.Addr) bool {
	if a.Zone() != "" {
		return false
	}
	a = a.Unmap()
	if a.Is4() {
		return !special4(a.As4())
	}
	b := a.As16()
	if netip.PrefixFrom(netip.AddrFrom16([16]byte{0, 0x64, 0xff, 0x9b}), 96).Contains(a) {
		// NAT64 of RFC 6052: how IPv4 is reached where there is only IPv6.
		return !special4([4]byte(b[12:]))
	}
	switch {
	case b[0]&0xe0 != 0x20: // 2000::/3 is all that was ever allotted
		return false
	case b[0] == 0x20 && b[1] == 0x01 && b[2] < 0x02: // 2001::/23: Teredo, ORCHID, benchmarks
		return false
	case b[0] == 0x20 && b[1] == 0x01 && b[2] == 0x0d && b[3] == 0xb8: // documentation
		return false
	case b[0] == 0x3f && b[1] == 0xff && b[2] < 0x10: // documentation
		return false
	case b[0] == 0x20 && b[1] == 0x02: // 6to4 carries an IPv4 address
		return !special4([4]byte(b[2:6]))
	}
	return true
}

func special4(b [4]byte) bool {
	switch {
	case b[0] == 0, b[0] == 10, b[0] == 127, b[0] >= 224: // this network, private, loopback, multicast and above
	case b[0] == 100 && b[1]&0xc0 == 64: // shared by carriers
	case b[0] == 169 && b[1] == 254: // link-local, where clouds keep their metadata
	case b[0] == 172 && b[1]&0xf0 == 16: // private
	case b[0] == 192 && b[1] == 0 && (b[2] == 0 || b[2] == 2): // protocols, documentation
	case b[0] == 192 && b[1] == 88 && b[2] == 99: // 6to4 relays
	case b[0] == 192 && b[1] == 168: // private
	case b[0] == 198 && b[1]&0xfe == 18: // benchmarks
	case b[0] == 198 && b[1] == 51 && b[2] == 100, b[0] == 203 && b[1] == 0 && b[2] == 113: // documentation
	default:
		return false
	}
	return true
}
