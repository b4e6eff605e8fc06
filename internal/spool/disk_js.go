package spool

// A browser has no disk, and what stands in for one is not ours to fill.
const (
	hasDisk    = false
	unlinkOpen = false
)
