package images

// Manifest says what an image was made of and what came out: manifest.json
// beside the outputs.
type Manifest struct {
	Board    string    `json:"board"`
	Version  string    `json:"version"` // of Wardkeeper
	Go       string    `json:"go"`      // toolchain, as "go1.26.8"
	Packages []Package `json:"packages"`
	Cmdline  string    `json:"cmdline"` // of the kernel, as the UKI carries it
	Modules  []string  `json:"modules"` // file names in load order
	Outputs  []Output  `json:"outputs"`
}

// Package is a Debian package that the image has parts of.
type Package struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	File    string `json:"file"`
	SHA256  string `json:"sha256"` // hex
}

// Output is a file of the image.
type Output struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // hex
}
