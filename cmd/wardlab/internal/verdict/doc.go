// Package verdict judges a run of the lab: from what the hosts' cards saw, what
// the intruder tried, and what reached the broker, to the list of reasons why
// the run failed. It is pure; it neither measures nor prints.
package verdict
