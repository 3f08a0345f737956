// Package strict decodes the TOML files that people write and refuses what it
// does not know: an unknown key is an error that names the file, the line, the
// key and the nearest key there is.
//
// It knows no file in particular; config, policy and rules bring their types
// and check the values.
package strict
