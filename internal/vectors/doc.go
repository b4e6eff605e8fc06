// Package vectors holds the algorithms of internal/alg to vectors that others
// made. It has tests only.
package vectors
