// Package classify says who a device is: it asks the signatures of package rules
// about a device's facts, adds their log-odds for each role, and gives role,
// confidence, margin, runner-up and the attributes, each with its evidence.
//
// It is pure: same device and rules, same answer. It keeps nothing, and it
// learns nothing by itself.
package classify
