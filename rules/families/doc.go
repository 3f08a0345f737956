// Package families lists the families of devices that wards have, and says by
// which signatures, and on what basis, each is known.
package families
