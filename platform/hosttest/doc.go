// Package hosttest holds the one suite that every host must pass: each exported
// function takes a rig and runs the cases of one part of package platform on
// it. The fake runs them always, the Linux host in a namespace of its own.
//
// It is test code for other packages' tests, not part of the agent. It knows no
// host: a case that passes on one of them only is a defect of the fake.
package hosttest
