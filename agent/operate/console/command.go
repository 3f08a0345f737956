package console

import (
	"context"
	"fmt"
	"strings"
)

// command is a node of the grammar: a word with what may follow.
type command struct {
	word string
	help string
	next []command
	arg  string // name of one free word behind it, in brackets if it may be missing
	run  func(ctx context.Context, s *shell, arg string) string
}

// look and lookFor are commands that only look.
func look(f func(Source) string) func(context.Context, *shell, string) string {
	return func(_ context.Context, s *shell, _ string) string { return f(s.Source) }
}

func lookFor(f func(Source, string) string) func(context.Context, *shell, string) string {
	return func(_ context.Context, s *shell, arg string) string { return f(s.Source, arg) }
}

// grammar is all that can be said.
func grammar() []command {
	return []command{
		{word: "show", help: "show what the gateway knows", next: []command{
			{word: "status", help: "the gateway on one screen", run: look(showStatus)},
			{word: "devices", help: "all devices, or those that a word is found in", arg: "[WORD]", run: lookFor(showDevices)},
			{word: "device", help: "one device, and why it is taken for what it is", arg: "ID", run: lookFor(showDevice)},
			{word: "policy", help: "segments, modes and what they allow", run: look(showPolicy)},
			{word: "quarantine", help: "devices that are cut off, by whom and for how long", run: look(showQuarantine)},
			{word: "denies", help: "packets refused, or nearly so", run: look(showDenies)},
			{word: "uplink", help: "the broker, and what waits for it", run: look(showUplink)},
			{word: "firmware", help: "slot, image and kernel; rescue or not", run: look(showFirmware)},
			{word: "clock", help: "the time, and how far to believe it", run: look(showClock)},
			{word: "log", help: "the last lines of the agent's own log", arg: "[COUNT]", run: showLog},
			{word: "code", help: "a one-time code: who has it stands at the gateway", arg: "DEVICE", run: showCode},
			{word: "request", help: "the request for the gateway's certificate", run: look(showRequest)},
		}},
		{word: "break-glass", help: "let everything pass for 1 to 60 minutes, or off", arg: "MINUTES", run: breakGlass},
		{word: "help", help: "this list; ? works anywhere in a line", run: look(func(Source) string { return overview() })},
	}
}

// match finds the one command that a word means, with so many words behind it:
// exactly, or as the only one that begins so. Of several, those that suit the
// number of words remain: "sh dev" lists devices, "sh dev ID" shows one.
func match(cmds []command, word string, behind int) (*command, error) {
	var found []*command
	for i := range cmds {
		if cmds[i].word == word {
			return &cmds[i], nil
		}
		if strings.HasPrefix(cmds[i].word, word) {
			found = append(found, &cmds[i])
		}
	}
	if len(found) > 1 {
		if fit := suited(found, behind); len(fit) > 0 {
			found = fit
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return nil, fmt.Errorf("unknown word %q: type ? for what could stand there", cut(clean(word), 20))
	}
	return nil, fmt.Errorf("%q could be %s", cut(clean(word), 20), strings.Join(wordsOf(found), " or "))
}

// suited are the commands that can be said with so many words behind them; a
// command that needs its word comes before those that merely take one.
func suited(cmds []*command, behind int) (fit []*command) {
	for _, c := range cmds {
		if len(c.next) == 0 && c.needs() == (behind > 0) {
			fit = append(fit, c)
		}
	}
	return fit
}

// needs reports whether a word must follow.
func (c *command) needs() bool { return c.arg != "" && c.arg[0] != '[' }

func wordsOf(cmds []*command) (out []string) {
	for _, c := range cmds {
		out = append(out, c.word)
	}
	return out
}

// execute answers one line.
func (s *shell) execute(ctx context.Context, line string) string {
	words := strings.Fields(line)
	if len(words) == 0 {
		return ""
	}
	var p page
	cmds := grammar()
	for i, w := range words {
		c, err := match(cmds, w, len(words)-i-1)
		if err != nil {
			p.line("%v", err)
			return p.String()
		}
		rest := words[i+1:]
		if len(c.next) > 0 {
			if len(rest) == 0 {
				return candidates(line + " ")
			}
			cmds = c.next
			continue
		}
		switch {
		case len(rest) > 1, len(rest) == 1 && c.arg == "":
			p.line("too many words: %s", usage(words[:i], c))
		case len(rest) == 0 && c.needs():
			p.line("a word is missing: %s", usage(words[:i], c))
		case len(rest) == 0:
			return c.run(ctx, s, "")
		default:
			return c.run(ctx, s, rest[0])
		}
		return p.String()
	}
	return ""
}

func usage(before []string, c *command) string {
	return strings.TrimSpace(strings.Join(before, " ") + " " + c.word + " " + c.arg)
}

// at walks to where the cursor of a line stands: the commands possible there,
// and the beginning of the word that is being typed. ok is false where nothing
// of the grammar can stand.
func at(line string) (cmds []command, word, arg string, ok bool) {
	words := strings.Fields(line)
	if len(words) > 0 && !strings.HasSuffix(line, " ") {
		word, words = words[len(words)-1], words[:len(words)-1]
	}
	cmds = grammar()
	for i, w := range words {
		c, err := match(cmds, w, len(words)-i) // with the one at the cursor
		if err != nil {
			return nil, "", "", false
		}
		if len(c.next) == 0 {
			return nil, word, c.arg, i == len(words)-1
		}
		cmds = c.next
	}
	return cmds, word, "", true
}

// candidates is the answer to '?'.
func candidates(line string) string {
	var p page
	cmds, word, arg, ok := at(line)
	switch {
	case !ok:
		p.line("nothing can stand here")
	case arg != "":
		p.line("%s", arg)
	case cmds == nil:
		p.line("Enter")
	}
	n := 0
	for _, c := range cmds {
		if strings.HasPrefix(c.word, word) {
			p.line("%-11s %-7s %s", c.word, c.arg, c.help)
			n++
		}
	}
	if ok && cmds != nil && n == 0 {
		p.line("nothing begins with %q", cut(clean(word), 20))
	}
	return p.String()
}

// complete is what Tab adds to a line, "" where it is not clear.
func complete(line string) string {
	cmds, word, _, ok := at(line)
	if !ok || word == "" {
		return ""
	}
	var found []string
	for _, c := range cmds {
		if strings.HasPrefix(c.word, word) {
			found = append(found, c.word)
		}
	}
	if len(found) == 0 {
		return ""
	}
	common := found[0]
	for _, f := range found[1:] {
		for !strings.HasPrefix(f, common) {
			common = common[:len(common)-1]
		}
	}
	if len(found) == 1 {
		common += " "
	}
	return common[len(word):]
}

// overview is the answer to help.
func overview() string {
	var p page
	for _, c := range grammar() {
		if len(c.next) == 0 {
			p.line("%-11s %-14s %s", c.word, c.arg, c.help)
		}
		for _, n := range c.next {
			p.line("%-11s %-14s %s", c.word, strings.TrimSpace(n.word+" "+n.arg), n.help)
		}
	}
	p.line("Words may be shortened: sh st. Ctrl-C cancels, Ctrl-U clears the line.")
	return p.String()
}
