// Command wardimage builds the gateway's image on a Debian machine: from
// Debian's kernel package and this module's own static binaries to a kernel with
// initramfs and a disk that boots under UEFI. The same sources, packages and
// toolchain give the same bytes. It needs no root and changes nothing on the
// machine but its output folder and its cache; it runs on no gateway.
//
// In QEMU it also runs the tests that touch the kernel on the board's kernel, and
// measures a built image against the goals of its size and times.
package main
