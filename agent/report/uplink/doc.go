// Package uplink sends what the outbox holds to an MQTT 3.1.1 broker, and keeps
// the retained state message and the last will. A record counts as delivered
// when its PUBACK was read from the connection that it was sent on.
//
// What the broker sends is handed over as bytes under a name, bounded in size;
// nothing here believes it. Answers to commands go back the same way, ahead of
// events. It stores nothing on disk; a broker that cannot be reached, is slow,
// or lies costs the agent no more than the queue.
package uplink
