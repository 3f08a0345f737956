package lab

import (
	"bytes"
	"errors"
	"io"
	"os"
	"sync"
)

// console is the lab's end of the agent's serial line.
type console struct {
	master *os.File
	slave  string

	mu   sync.Mutex
	tail []byte    // the last of what the agent wrote
	to   io.Writer // the user's terminal, nil for none
}

// consoleTail is how much of the console's output is kept.
const consoleTail = 64 << 10

// openConsole makes the line and begins to read it, so that it never fills.
func openConsole() (*console, error) {
	m, slave, err := openPTY()
	if err != nil {
		return nil, err
	}
	c := &console{master: m, slave: slave}
	go c.read()
	return c, nil
}

func (c *console) read() {
	b := make([]byte, 4096)
	for {
		n, err := c.master.Read(b)
		c.mu.Lock()
		c.tail = append(c.tail, b[:n]...)
		if over := len(c.tail) - consoleTail; over > 0 {
			c.tail = c.tail[over:]
		}
		if c.to != nil && n > 0 {
			c.to.Write(b[:n])
		}
		c.mu.Unlock()
		if errors.Is(err, os.ErrClosed) {
			return
		}
		if err != nil {
			// EIO while nobody has the slave open: before the agent has started,
			// and while it restarts.
			waitBriefly()
		}
	}
}

// said reports whether the console's output holds the text, in any case.
func (c *console) said(text string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Contains(bytes.ToLower(c.tail), bytes.ToLower([]byte(text)))
}

// escape is Ctrl-], which leaves the console.
const escape = 0x1d

// attach connects the user's terminal until the user leaves or the input ends,
// and then closes left.
func (c *console) attach(in io.Reader, out io.Writer, left chan<- struct{}) {
	c.mu.Lock()
	c.to = out
	c.mu.Unlock()
	go func() {
		defer close(left)
		b := make([]byte, 256)
		for {
			n, err := in.Read(b)
			i := bytes.IndexByte(b[:n], escape)
			if i >= 0 {
				n = i
			}
			if n > 0 {
				c.master.Write(b[:n])
			}
			if i >= 0 || err != nil {
				return
			}
		}
	}()
}

// enter writes a command as a person would.
func (c *console) enter(line string) error {
	_, err := io.WriteString(c.master, line+"\r")
	return err
}

func (c *console) Close() error { return c.master.Close() }
