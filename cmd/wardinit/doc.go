// Command wardinit is PID 1 of the gateway's image. It does what must hold
// when all else fails: feeds the hardware watchdog for as long as the kernel
// forwards, has the last confirmed rules in the kernel before a frame may pass,
// lets the ward through where they cannot be had (rescue), opens the gateway when
// its button is held (break-glass), and starts the agent again whenever it ends
// or hangs.
//
// The supervising goroutine waits for nothing: the disk, the kernel's answers and
// the button have goroutines of their own. What a test must ask of it, it asks
// through QEMU's fw_cfg (testWords).
//
// It reads no traffic, no policy and no command: that is the agent's. It never
// ends, has no shell and starts nothing but the agent.
package main
