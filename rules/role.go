package rules

import (
	"fmt"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/strict"
)

// Role is one row of roles.toml.
type Role struct {
	Name  device.Role        `toml:"name"`
	Class device.SafetyClass `toml:"class"`
	// Dedicated: never played by a general-purpose computer.
	Dedicated bool   `toml:"dedicated"`
	Means     string `toml:"means"`
}

// Roles is the closed list of roles. It is immutable.
type Roles struct {
	list  []Role
	index map[device.Role]int
}

// parseRoles reads roles.toml.
func parseRoles(file string, data []byte) (Roles, error) {
	var raw struct {
		Role []Role `toml:"role"`
	}
	if err := strict.Decode(file, data, &raw); err != nil {
		return Roles{}, err
	}
	r := Roles{list: raw.Role, index: map[device.Role]int{}}
	for i, role := range raw.Role {
		at := lineOf(data, "name", string(role.Name))
		switch _, dup := r.index[role.Name]; {
		case !isID(string(role.Name)):
			return Roles{}, fmt.Errorf("%s:%d: role %q: want lower-case words with hyphens", file, at, role.Name)
		case dup:
			return Roles{}, fmt.Errorf("%s:%d: role %q stands twice", file, at, role.Name)
		case role.Class == 0:
			return Roles{}, fmt.Errorf("%s:%d: role %q has no class", file, at, role.Name)
		case role.Means == "":
			return Roles{}, fmt.Errorf("%s:%d: role %q does not say what it means", file, at, role.Name)
		}
		r.index[role.Name] = i
	}
	if _, ok := r.index[device.RoleUnknown]; !ok {
		return Roles{}, fmt.Errorf("%s: role %q is missing", file, device.RoleUnknown)
	}
	return r, nil
}

// Get returns the role of that name.
func (r Roles) Get(name device.Role) (Role, bool) {
	i, ok := r.index[name]
	if !ok {
		return Role{}, false
	}
	return r.list[i], true
}

// Class is the safety class of a role; false where there is no such role.
func (r Roles) Class(name device.Role) (device.SafetyClass, bool) {
	role, ok := r.Get(name)
	return role.Class, ok
}

// Names lists all roles in the order of the file.
func (r Roles) Names() []device.Role {
	out := make([]device.Role, len(r.list))
	for i, role := range r.list {
		out[i] = role.Name
	}
	return out
}

// Rank is the place of a role in the file, where those with most at stake come
// first; behind all others for a role that there is not.
func (r Roles) Rank(name device.Role) int {
	if i, ok := r.index[name]; ok {
		return i
	}
	return len(r.list)
}
