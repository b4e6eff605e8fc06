module github.com/gosmime/gosmime

go 1.26

require (
	filippo.io/mldsa v1.0.0
	github.com/cloudflare/circl v1.6.5
	github.com/digitorus/pkcs7 v0.0.0-20250730155240-ffadbf3f398c
	github.com/emersion/go-message v0.18.2
	github.com/segmentio/asm v1.2.1
	golang.org/x/crypto v0.55.0
	golang.org/x/net v0.57.0
	software.sslmate.com/src/go-pkcs12 v0.7.4
)

require (
	golang.org/x/sys v0.47.0 // indirect
	golang.org/x/text v0.41.0 // indirect
)
