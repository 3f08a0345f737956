// Command ouigen writes the vendor table of package vendors from the CSV files
// of Debian's ieee-data. Its output follows from those files alone, the date
// from the package's .lastupdate, so that the same package gives the same bytes.
//
// It is run by go generate and is no part of the agent.
package main
