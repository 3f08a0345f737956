// Package vitals reports the gateway about itself: what is wrong, what was
// counted and how the ports do, as one health record that replaces the last;
// and it looks after the disk.
//
// It does not judge the ward or its devices, and repairs nothing.
package vitals
