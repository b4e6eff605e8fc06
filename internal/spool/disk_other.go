//go:build !unix && !js

package spool

const (
	hasDisk    = true
	unlinkOpen = false // the file is removed by Close
)
