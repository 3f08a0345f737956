// Package utilise tells what a device is doing, off, idle, in use or in
// service, from its cadence, its bytes and the closed states that it reports:
// never from a measured value, which no fact can hold.
//
// A Meter is that of one device, bounded, and belongs to the goroutine of the
// inventory. Its minutes are counted by the hour; nothing finer leaves the box,
// since a bed and a minute can name a person.
package utilise
