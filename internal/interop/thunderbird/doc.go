// Package thunderbird has tests only: Thunderbird shows mail of this module on
// a virtual screen and sends mail to it. The tests drive it by the Marionette
// protocol, by which Mozilla's own tests drive it.
package thunderbird
