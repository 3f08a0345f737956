// Package atomicfile writes small files whole or not at all, for their owner
// alone: what a power cut must not halve. It is not for what is written often:
// each write waits for the medium twice.
package atomicfile
