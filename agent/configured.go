package agent

import (
	"log/slog"
	"path/filepath"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/config"
	"github.com/wardkeeper/wardkeeper/agent/operate/desired"
	"github.com/wardkeeper/wardkeeper/agent/protect/kept"
	"github.com/wardkeeper/wardkeeper/platform"
)

// Configured is the configuration of an agent that starts now: the one that
// people sent, where there is one and it can be read, else that of the file,
// which says in any case where to look. It counts the start: a configuration
// that never reaches the broker, or has the agent crash, is given up.
func Configured(file string, data []byte, host platform.Clock, floor time.Time, log *slog.Logger) (*config.Config, error) {
	own, err := config.Parse(file, data)
	if err != nil {
		return nil, err
	}
	sent, err := desired.ConfigAtStart(kept.Open(filepath.Join(own.State, desiredDir)), clock.New(host, floor).Now())
	if err != nil {
		log.Error("what is kept of the configuration that was sent", "err", err)
	}
	if sent == "" {
		return own, nil
	}
	c, err := config.Parse("the configuration that was sent", []byte(sent))
	if err == nil {
		err = own.MayBecome(c)
	}
	if err != nil {
		log.Error("the configuration that was sent is not used, the file is", "err", err)
		return own, nil
	}
	c.Desired, c.Came = sent, own
	return c, nil
}
