// Package clock gives every statement its time: wall and monotonic, with the
// boot they belong to and how far the wall clock may be believed.
//
// It does not set or discipline the clock. All other packages take a Clock as a
// parameter instead of calling time.Now.
package clock
