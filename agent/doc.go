// Package agent wires the rooms of the Wardkeeper agent and runs them. It holds
// no behaviour of its own: New builds everything in the order of the data path
// and returns the list of Tasks that run.
//
// This is the map. Data goes left to right: observe, know, protect, report;
// operate stands beside. Rooms of different groups do not import one another;
// they meet in the vocabularies and in platform's value types.
//
// The platform, what the operating system owes the agent:
//
//	platform           interfaces and value types, standard library only
//	platform/linux     the real host, the only door to the kernel
//	platform/linux/rig  a bridge with wires in a namespace, for tests
//	platform/fake      an in-memory host with faults to inject
//	platform/hosttest  the one suite that both hosts pass
//
// The vocabularies, without behaviour:
//
//	agent/fact     what may be known from a frame; the PHI gate by type
//	agent/device   devices, identities, conversations, snapshots
//	agent/event    what leaves the gateway
//	agent/health   what is wrong right now
//	agent/health/healthtest  watches the tasks of a test for hangs
//	agent/clock    time with its quality
//	agent/lifesign  what the agent tells PID 1
//	agent/strict   TOML files refused where they are unknown
//	agent/atomicfile  small files written whole or not at all
//	agent/config   the configuration file, checked
//	rules          roles and signatures: data with examples
//	rules/vendors  who owns a MAC prefix
//	rules/families  the devices of wards, and what is known of each
//
// The image, apart from what runs in it:
//
//	images         boards, initramfs, module order, UKI, partitions, manifest
//
// The rooms:
//
//	agent/observe/capture      ports and capture files to frames
//	agent/observe/dissect      bytes to closed structs, one file a protocol
//	agent/observe/flows        who talks with whom, and the first bytes of it
//	agent/observe/extract      frames to facts, sightings and flow deltas
//	agent/know/inventory       facts to devices, remembered
//	agent/know/classify        facts to identity, with evidence
//	agent/know/behave          conversations of a device
//	agent/know/utilise         what a device is doing, in minutes by the hour
//	agent/protect/policy       identity and policy to a ruleset, pure
//	agent/protect/enforce      ruleset to kernel, read back and compared
//	agent/protect/nac          quarantine asked of the network outside, owed until undone
//	agent/protect/kept         what rules are made of, as files for the boot
//	agent/report/outbox        events to the durable queue
//	agent/report/uplink        queue to the MQTT broker
//	agent/report/vitals        the gateway about itself
//	agent/operate/console      the serial console
//	agent/operate/command      what was signed, checked, done once and answered
//	agent/operate/onsite       one-time codes for who stands at the gateway
//	agent/operate/enrol        key, certificate request, certificate
//	agent/operate/desired      what the manager wants, kept, a configuration on trial
//	agent/operate/signed       what people signed, and whose signature counts
//	agent/store                the one bbolt file
//	agent                      the wiring
//
// The commands:
//
//	cmd/wardkeeper  the agent's main
//	cmd/wardinit    PID 1 of the image
//	cmd/wardctl     the operator's tool, runs anywhere
//	cmd/wardlab     a virtual ward, for `make run` and the end-to-end tests
//	cmd/wardimage   builds the disk image, on a Debian machine
package agent
