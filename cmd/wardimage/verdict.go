package main

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// verdict reads what the machine of a trial writes (cmd/wardlab/internal/
// testinit), prints a line for each package, and the whole of one that failed.
type verdict struct {
	out     io.Writer
	mayskip map[string]string // test and reason
	want    int               // how many packages will end

	folder         string   // of the package that runs
	said           []string // by it
	passed, failed int
	skipped        []string
	packages       int // that ended
	faults         []error
}

// result is the line of a test that ended. Subtests are indented.
var result = regexp.MustCompile(`^\s*--- (PASS|FAIL|SKIP): (\S+)`)

func (v *verdict) line(line string) {
	kind, text, _ := strings.Cut(line, " ")
	switch kind {
	case "RUN":
		v.folder, v.said, v.passed, v.failed, v.skipped = text, nil, 0, 0, nil
	case "|":
		v.said = append(v.said, text)
		m := result.FindStringSubmatch(text)
		switch {
		case m == nil:
		case m[1] == "PASS":
			v.passed++
		case m[1] == "FAIL":
			v.failed++
		default:
			v.skipped = append(v.skipped, m[2])
		}
	case "END":
		v.ended(text)
	case "KERNEL":
		fmt.Fprintln(v.out, "kernel:", text)
	case "ERROR":
		v.faults = append(v.faults, errors.New(text))
	}
}

// ended judges the package: "0 12.3" are exit code and seconds.
func (v *verdict) ended(text string) {
	v.packages++
	code, seconds, _ := strings.Cut(text, " ")
	fault := ""
	for _, name := range v.skipped {
		if reason, ok := v.mayskip[name]; ok {
			fmt.Fprintf(v.out, "skip  %s: %s\n", name, reason)
		} else {
			fault = "skips " + name
		}
	}
	switch {
	case code != "0" || v.failed > 0:
		fault = fmt.Sprintf("%d tests fail, exit code %s", v.failed, code)
	case v.passed == 0:
		fault = "runs no test"
	}
	if fault == "" {
		fmt.Fprintf(v.out, "ok    %-24s %4d passed, %d skipped, %s s\n", v.folder, v.passed, len(v.skipped), seconds)
		return
	}
	fmt.Fprintf(v.out, "%s\nFAIL  %s: %s, %s s\n", strings.Join(v.said, "\n"), v.folder, fault, seconds)
	v.faults = append(v.faults, fmt.Errorf("%s %s", v.folder, fault))
}

// end is what is wrong.
func (v *verdict) end() error {
	if v.packages != v.want {
		fmt.Fprintln(v.out, strings.Join(v.said, "\n"))
		v.faults = append(v.faults, fmt.Errorf("%d of %d packages ended, the last that began is %s", v.packages, v.want, v.folder))
	}
	return errors.Join(v.faults...)
}
