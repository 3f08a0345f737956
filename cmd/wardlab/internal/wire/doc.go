// Package wire writes the bytes which the lab's devices speak, from the
// published layouts (RFCs, HL7, DICOM PS3.8, Philips Data Export, and those of
// protocols.md), and reads the little that the other ends need in order to
// answer. It shares no line with the agent's dissectors: two readings of a
// layout that agree are evidence, one reading used twice is not. It opens no
// socket.
package wire
