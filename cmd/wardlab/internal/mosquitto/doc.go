// Package mosquitto runs the real broker of the apt package of that name, with
// a subscriber whose session the broker keeps, and a tap on the agent's way to
// it that knows what was acknowledged. It judges nothing, and is not for the
// lab's ordinary runs: those have a broker of their own, see collect.
package mosquitto
