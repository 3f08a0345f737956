// Package images knows what a gateway's image is made of, byte for byte: boards,
// the initramfs archive, the order of kernel modules, the signed-as-one kernel
// file (UKI), the partition table and the manifest. cmd/wardimage builds images
// of it, PID 1 reads the board and grows the data partition by it. It is no
// builder: it starts no programs, opens no files and asks no network.
package images
