// Command testinit is PID 1 of a virtual machine that runs test binaries on a
// gateway's kernel (`make test-arm64`): it loads the image's modules, runs each
// binary that the list names, says on the console what they said and how they
// ended, and powers off. It is no part of an image.
package main
