// Package vendors names the registered owner of a MAC address by the longest
// matching block of the IEEE registry: MA-S and IAB (36 bits), MA-M (28), MA-L
// (24). The table is one embedded binary, generated from Debian's ieee-data.
//
// It only says who bought the block, in the registry's own spelling; what that
// is worth, and one spelling for each vendor, is said by package rules.
package vendors
