// Package lifesign is what the agent tells its supervisor, PID 1 of the image, on
// the descriptor that it is started with.
package lifesign
