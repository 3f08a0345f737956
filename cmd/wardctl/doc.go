// Command wardctl is the operator's tool. It runs anywhere: it replays captures
// through the agent's own rooms, signs a gateway's certificate request with the
// site's CA, writes what makes a gateway this one onto its disk, and signs what
// gateways are to obey: who may sign what (keys), commands, policies and the
// other desired state (sign).
//
// At the site's broker it brings that to the gateways and hears what they say
// (push, cmd, watch, state); and it checks their audit trails (audit).
//
// Keys stay in files of whoever signs: what needs several people goes from one
// to the next as a file.
package main
