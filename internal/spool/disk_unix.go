//go:build unix

package spool

const (
	hasDisk    = true
	unlinkOpen = true // an unlinked file lives until it is closed
)
