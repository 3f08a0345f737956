// Package rules is what Wardkeeper knows of the world as data: the roles and
// their safety class, one spelling for each vendor, and the signatures that turn
// facts into roles and attributes. It loads and checks these files and says
// which signatures match a fact.
//
// It weighs nothing: package classify does, and it knows no device.
package rules
