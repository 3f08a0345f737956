package agent

import (
	"fmt"
	"os"

	"github.com/wardkeeper/wardkeeper/agent/config"
	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
	"github.com/wardkeeper/wardkeeper/agent/store"
	"github.com/wardkeeper/wardkeeper/rules"
	"github.com/wardkeeper/wardkeeper/rules/vendors"
)

// knowledge is what the agent knows of the world before it saw a frame.
type knowledge struct {
	rules   *rules.Set
	vendors *vendors.Table
}

func loadKnowledge(cfg *config.Config) (knowledge, error) {
	v, err := vendors.Load()
	if err != nil {
		return knowledge{}, err
	}
	if cfg.Rules == "" {
		r, err := rules.Embedded()
		return knowledge{r, v}, err
	}
	r, err := rules.Load(os.DirFS(cfg.Rules))
	if err != nil {
		return knowledge{}, fmt.Errorf("rules in %s: %w", cfg.Rules, err)
	}
	return knowledge{r, v}, nil
}

// loadRoles loads what a policy needs of the rules: at boot the ward waits for it.
func loadRoles(cfg *config.Config) (rules.Roles, error) {
	if cfg.Rules == "" {
		return rules.EmbeddedRoles()
	}
	r, err := rules.LoadRoles(os.DirFS(cfg.Rules))
	if err != nil {
		return rules.Roles{}, fmt.Errorf("rules in %s: %w", cfg.Rules, err)
	}
	return r, nil
}

// readPolicy reads the policy file, nil where none is configured.
func readPolicy(cfg *config.Config, k knowledge) (*policy.Policy, error) {
	if cfg.Policy == "" {
		return nil, nil
	}
	data, err := os.ReadFile(cfg.Policy)
	if err != nil {
		return nil, fmt.Errorf("read policy: %w", err)
	}
	return policy.Parse(cfg.Policy, data, k.rules.Roles.Class, k.rules.Roles.Names()...)
}

// deviceRoom keeps something by device.
type deviceRoom struct {
	store.Room
	s      *store.Store
	bucket string
}

// What is kept by device: the inventory, and its utilisation.
const (
	deviceBucket = "devices"
	useBucket    = "utilisation"
)

func newDeviceRoom(s *store.Store, bucket string) deviceRoom {
	return deviceRoom{s.Room(bucket), s, bucket}
}

// Save puts and deletes in one transaction.
func (r deviceRoom) Save(values map[string][]byte, gone []string) error {
	return r.s.Update(func(tx *store.Tx) error {
		for k, v := range values {
			if err := tx.Put(r.bucket, []byte(k), v); err != nil {
				return err
			}
		}
		for _, k := range gone {
			if err := tx.Delete(r.bucket, []byte(k)); err != nil {
				return err
			}
		}
		return nil
	})
}
