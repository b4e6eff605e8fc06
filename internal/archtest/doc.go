// Package archtest holds the architecture as tests: the floors, who may reach
// the network, what a package may export, and what zero values refuse.
package archtest
