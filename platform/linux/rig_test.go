//go:build linux

package linux

import (
	"os"
	"testing"

	"github.com/wardkeeper/wardkeeper/platform/linux/rig"
)

// TestMain runs all tests of the package in a namespace of their own.
func TestMain(m *testing.M) { os.Exit(rig.Main(m)) }
