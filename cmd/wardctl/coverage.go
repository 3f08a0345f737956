package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/wardkeeper/wardkeeper/rules"
	"github.com/wardkeeper/wardkeeper/rules/families"
)

// covered is what is known of a family of devices, for a program.
type covered struct {
	Vendor     string   `json:"vendor"`
	Models     string   `json:"models"`
	Is         string   `json:"is"`
	Support    bool     `json:"support,omitempty"` // neither medical nor for care
	Basis      string   `json:"basis"`             // "wire", "document", "hint", "none"
	MACAlone   bool     `json:"mac_alone,omitempty"`
	Signatures []string `json:"signatures"`
}

// coverage reads what the binary's rules know of each family.
func coverage() ([]covered, error) {
	set, err := rules.Embedded()
	if err != nil {
		return nil, err
	}
	list, err := families.Coverage(set)
	if err != nil {
		return nil, err
	}
	all := make([]covered, len(list))
	for i, k := range list {
		all[i] = covered{k.Vendor, k.Models, k.Is, k.Support, "none", k.MACAlone(), []string{}}
		if k.Basis != 0 {
			all[i].Basis = k.Basis.String()
		}
		for _, s := range k.Signatures {
			id := s.ID
			if s.Basis == rules.Hint {
				id += " (hint)"
			}
			all[i].Signatures = append(all[i].Signatures, id)
		}
	}
	return all, nil
}

// printCoverage prints a block for each family, or JSON.
func printCoverage(w io.Writer, asJSON bool) error {
	all, err := coverage()
	if err != nil {
		return err
	}
	if asJSON {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		if err := e.Encode(all); err != nil {
			return fmt.Errorf("write coverage: %w", err)
		}
		return nil
	}
	fmt.Fprintln(w, sumUp(all))
	for _, k := range all {
		basis := k.Basis
		if k.MACAlone {
			basis += ", the maker of the MAC alone"
		}
		fmt.Fprintf(w, "\n%s %s: %s\n  %s\n", k.Vendor, k.Models, k.Is, basis)
		if len(k.Signatures) > 0 {
			fmt.Fprintf(w, "  %s\n", strings.Join(k.Signatures, ", "))
		}
	}
	return nil
}

// sumUp counts the medical families by the best basis of what is known of them.
func sumUp(all []covered) string {
	n, mac, medical := map[string]int{}, 0, 0
	for _, k := range all {
		switch {
		case k.Support:
			continue
		case k.MACAlone:
			mac++
		default:
			n[k.Basis]++
		}
		medical++
	}
	return fmt.Sprintf("Of %d families of devices for care, %d are known by what one of them was seen to send, %d by a document, %d by hints alone, "+
		"%d by the maker of the MAC alone, %d by nothing of their own.", medical, n["wire"], n["document"], n["hint"], mac, n["none"])
}
