package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"net/url"
	"os"
	"strings"

	"github.com/wardkeeper/wardkeeper/agent/config"
	"github.com/wardkeeper/wardkeeper/agent/operate/enrol"
	"github.com/wardkeeper/wardkeeper/agent/operate/signed"
	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
	"github.com/wardkeeper/wardkeeper/images"
	"github.com/wardkeeper/wardkeeper/rules"
)

// Names in the folder on the ESP, and where the gateway finds them once it has
// taken them over.
const (
	configName = "wardkeeper.toml"
	policyName = "policy.toml"
	caName     = "pki/ca.pem"
	certName   = "pki/gateway.pem"
	rootName   = "root.dsse"
	etc        = "/data/etc/"
	keyFile    = "/data/pki/gateway.key" // the gateway makes it; it never leaves it
)

// provisioning is what a person says of one gateway.
type provisioning struct {
	image, esp                   string
	board, ward                  string
	site, gateway, broker        string
	address, router              string
	vlan                         int
	caFile, certFile, policyFile string
	rootFile, breakGlass         string
	ca, cert, policy, root       []byte // of the files; nil: not named
}

// provision puts what makes a gateway this one gateway onto its ESP, all of it
// checked: a mistake would only show in the cupboard where the box hangs.
func provision(args []string, stdout, stderr io.Writer) (err error) {
	fs := flag.NewFlagSet("image provision", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() { fmt.Fprint(stderr, usage) }
	var p provisioning
	for name, to := range map[string]*string{"image": &p.image, "esp": &p.esp, "board": &p.board, "ward": &p.ward, "site": &p.site, "gateway": &p.gateway, "broker": &p.broker,
		"address": &p.address, "router": &p.router, "ca": &p.caFile, "cert": &p.certFile, "policy": &p.policyFile, "root": &p.rootFile, "break-glass": &p.breakGlass} {
		fs.StringVar(to, name, "", "")
	}
	fs.IntVar(&p.vlan, "vlan", 0, "")
	words, err := parse(fs, args)
	if err != nil {
		return err
	}
	if len(words) > 0 || (p.image == "") == (p.esp == "") {
		fmt.Fprint(stderr, usage)
		return errUsage
	}
	if err := p.load(); err != nil {
		return err
	}
	var to esp = folder(p.esp)
	if p.image != "" {
		if to, err = openDisk(p.image); err != nil {
			return err
		}
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	files, err := p.files(to)
	if err != nil {
		return err
	}
	for _, name := range []string{caName, certName, rootName, policyName, configName} { // the configuration last: it names the others
		text, ok := files[name]
		if !ok {
			continue
		}
		if err := to.write(name, text); err != nil {
			return err
		}
		fmt.Fprintf(stdout, "wrote %s/%s, %d bytes\n", provided, name, len(text))
	}
	return nil
}

// load reads the files that were named.
func (p *provisioning) load() error {
	for name, to := range map[string]*[]byte{p.caFile: &p.ca, p.certFile: &p.cert, p.policyFile: &p.policy, p.rootFile: &p.root} {
		if name == "" {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		*to = text
	}
	if p.policy == nil {
		return nil
	}
	set, err := rules.Embedded()
	if err != nil {
		return err
	}
	parsed, err := policy.Parse(p.policyFile, p.policy, set.Roles.Class, set.Roles.Names()...)
	if err != nil {
		return err
	}
	if err := policy.Admit(parsed, false, nil); err != nil {
		return fmt.Errorf("%s: %w", p.policyFile, err)
	}
	return nil
}

// files is what is to be written, by name. Without a gateway's name it is an
// addition to a gateway that was provisioned before, as its certificate is.
func (p *provisioning) files(to esp) (map[string][]byte, error) {
	out := make(map[string][]byte)
	for name, text := range map[string][]byte{caName: p.ca, certName: p.cert, policyName: p.policy, rootName: p.root} {
		if text != nil {
			out[name] = text
		}
	}
	cfg, err := p.before(to)
	if p.gateway != "" {
		if out[configName], err = p.config(); err == nil {
			cfg, err = config.Parse(configName, out[configName])
		}
	}
	if err == nil {
		err = p.sameSite(cfg)
	}
	if err != nil {
		return nil, err
	}
	ca := p.ca
	if ca == nil {
		if ca, err = to.read(caName); err != nil {
			return nil, fmt.Errorf("no --ca, and none is there already: %w", err)
		}
	}
	cert := p.cert
	if cert == nil { // what is there already must still fit
		if cert, err = to.read(certName); errors.Is(err, fs.ErrNotExist) {
			return out, nil
		} else if err != nil {
			return nil, err
		}
	}
	if _, err := enrol.Check(cert, ca, cfg.Gateway, nil); err != nil {
		return nil, fmt.Errorf("certificate of the gateway: %w", err)
	}
	return out, nil
}

// sameSite refuses the root of trust of another site: the gateway would obey
// nobody.
func (p *provisioning) sameSite(cfg *config.Config) error {
	if p.root == nil {
		return nil
	}
	r, err := signed.ParseRoot(p.root)
	if err == nil && r.Site() != cfg.Site.Name {
		err = fmt.Errorf("it is that of site %q, the gateway's is %q", r.Site(), cfg.Site.Name)
	}
	if err != nil {
		return fmt.Errorf("%s: root of trust: %w", p.rootFile, err)
	}
	return nil
}

// before is the configuration that is on the ESP.
func (p *provisioning) before(to esp) (*config.Config, error) {
	if p.gateway != "" {
		return nil, nil
	}
	if p.site+p.broker+p.address+p.router+p.ward+p.board+p.breakGlass != "" || p.vlan != 0 {
		return nil, errors.New("--gateway is missing: a gateway is described whole")
	}
	text, err := to.read(configName)
	if err != nil {
		return nil, fmt.Errorf("no --gateway, and no gateway was provisioned here before: %w", err)
	}
	cfg, err := config.Parse(configName, text)
	if err == nil && p.policy != nil && cfg.Policy != etc+policyName {
		err = fmt.Errorf("%s names no policy: give all of the gateway anew, with --policy", configName)
	}
	if err == nil && p.root != nil && cfg.Manage.Root != etc+rootName {
		err = fmt.Errorf("%s names no root of trust: give all of the gateway anew, with --root", configName)
	}
	return cfg, err
}

// config writes the gateway's configuration.
func (p *provisioning) config() ([]byte, error) {
	for name, v := range map[string]string{"site": p.site, "broker": p.broker, "address": p.address, "board": p.board} {
		if v == "" {
			return nil, fmt.Errorf("--%s is missing", name)
		}
	}
	text, err := images.BoardFile(p.board)
	if err != nil {
		return nil, err
	}
	board, err := images.ParseBoard(p.board, text)
	if err != nil {
		return nil, err
	}
	ward := board.Ports.Ward
	if p.ward != "" {
		ward = strings.Split(p.ward, ",")
	}
	for i, w := range ward {
		ward[i] = fmt.Sprintf("%q", w)
	}
	// Of what the configuration may say, this image cannot do all yet.
	if u, err := url.Parse(p.broker); err != nil || u.Scheme != "mqtts" {
		return nil, fmt.Errorf("--broker %q: want mqtts://IP:PORT", p.broker)
	} else if _, err := netip.ParseAddr(u.Hostname()); err != nil {
		return nil, fmt.Errorf("--broker %q: want an IP address there, this image cannot resolve names", p.broker)
	}
	if _, err := netip.ParsePrefix(p.address); err != nil {
		return nil, fmt.Errorf("--address %q: want an address with its network, as 10.20.7.5/24", p.address)
	}
	out := fmt.Appendf(nil, `# Of one gateway, by wardctl image provision; every key is in the README.
gateway = %q

[site]
name = %q

[ports]
uplink = %q
ward   = [%s]

[mgmt]
vlan    = %d
address = %q
gateway = %q

[uplink]
url  = %q
ca   = %q
cert = %q
key  = %q

[console]
device      = %q
baud        = %d
break_glass = %q
`, p.gateway, p.site, board.Ports.Uplink, strings.Join(ward, ", "), p.vlan, p.address, p.router, p.broker, etc+caName, etc+certName, keyFile, "/dev/"+board.Console.Device, board.Console.Baud, cmp.Or(p.breakGlass, "open"))
	if p.policy != nil {
		out = fmt.Appendf(out, "\n[policy]\nfile = %q\n", etc+policyName)
	}
	if p.root != nil {
		out = fmt.Appendf(out, "\n[manage]\nroot = %q\n", etc+rootName)
	}
	return out, nil
}
