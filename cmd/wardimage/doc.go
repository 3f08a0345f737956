// Command wardimage builds the gateway's image on a Debian machine: from
// Debian's kernel package and this module's own static binaries to a kernel with
// initramfs and a disk that boots under UEFI. The same sources, packages and
// toolchain give the same bytes. It needs no root and changes nothing on the
// machine but its output folder and its cache; it runs on no gateway.
package main
