// Package config turns the configuration file into checked values: raw TOML in,
// one Config out, every key with a default so that an empty file works on a box
// with two ports.
//
// It opens nothing and knows no policy; agent.go and cmd hand its parts on.
package config
