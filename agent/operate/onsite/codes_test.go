package onsite

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// inTime runs a test in a bubble; now is the time since its begin.
func inTime(t *testing.T, f func(t *testing.T, c *Codes, now func() time.Duration)) {
	synctest.Test(t, func(t *testing.T) {
		boot := time.Now()
		f(t, NewCodes(), func() time.Duration { return time.Since(boot) })
	})
}

func (c *Codes) make(t *testing.T, subject string, now time.Duration) string {
	t.Helper()
	text, err := c.Make(subject, now)
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^[2-9A-Z]{4}-[2-9A-Z]{4}$`).MatchString(text) || strings.ContainsAny(text, "0O1IL8B") {
		t.Errorf("code %q", text)
	}
	return text
}

func TestCodeIsGoodOnce(t *testing.T) {
	inTime(t, func(t *testing.T, c *Codes, now func() time.Duration) {
		a, b := c.make(t, "pump", now()), c.make(t, "monitor", now())
		if c.Use("pump", b, now()) || c.Use("printer", a, now()) || c.Use("pump", "", now()) {
			t.Error("a code is good for another device, or none is")
		}
		if !c.Use("pump", strings.ToLower(a[:4])+" "+a[5:], now()) {
			t.Error("the code is refused")
		}
		if c.Use("pump", a, now()) {
			t.Error("the code is good twice")
		}
		if !c.Use("monitor", b, now()) {
			t.Error("the other code was lost")
		}
	})
}

func TestCodeEnds(t *testing.T) {
	inTime(t, func(t *testing.T, c *Codes, now func() time.Duration) {
		a := c.make(t, "pump", now())
		time.Sleep(GoodFor - time.Second)
		if b := c.make(t, "pump", now()); c.Use("pump", a, now()) || !c.Use("pump", b, now()) {
			t.Error("a new code does not replace the old one")
		}
		a = c.make(t, "pump", now())
		time.Sleep(GoodFor)
		if c.Use("pump", a, now()) {
			t.Error("a code of ten minutes ago is good")
		}
	})
}

func TestGuessing(t *testing.T) {
	inTime(t, func(t *testing.T, c *Codes, now func() time.Duration) {
		a := c.make(t, "pump", now())
		for range maxWrong - 1 {
			c.Use("pump", "2222-2222", now())
		}
		if !c.Use("pump", a, now()) {
			t.Error("a few wrong ones are too many")
		}
		a = c.make(t, "pump", now())
		for range maxWrong {
			c.Use("pump", "2222-2222", now())
		}
		if c.Use("pump", a, now()) {
			t.Error("guessing costs nothing")
		}
	})
}

func TestTooManyCodes(t *testing.T) {
	inTime(t, func(t *testing.T, c *Codes, now func() time.Duration) {
		time.Sleep(time.Hour)
		for i := range burst {
			c.make(t, fmt.Sprint(i), now())
		}
		if _, err := c.Make("pump", now()); !errors.Is(err, ErrTooMany) {
			t.Errorf("error %v, want ErrTooMany", err)
		}
		made := 0
		for range 600 { // ten minutes
			time.Sleep(time.Second)
			if _, err := c.Make("pump", now()); err == nil {
				made++
			}
		}
		if made != 10 {
			t.Errorf("%d codes in ten minutes, want 10", made)
		}
		time.Sleep(time.Hour)
		for i := range 2 * maxCodes {
			time.Sleep(refill / 2)
			_, _ = c.Make(fmt.Sprint("x", i), now())
		}
		if len(c.good) > maxCodes {
			t.Errorf("%d codes are good at one time", len(c.good))
		}
	})
}

// What is kept does not give the code away.
func TestOnlyAHashIsKept(t *testing.T) {
	inTime(t, func(t *testing.T, c *Codes, now func() time.Duration) {
		a := c.make(t, "pump", now())
		if kept := fmt.Sprintf("%s %v %+v", c.good["pump"].hash, c.good, c.salt); strings.Contains(kept, a[:4]) && strings.Contains(kept, a[5:]) {
			t.Error("the code is kept")
		}
		if NewCodes().hash("pump", "22222222") == c.hash("pump", "22222222") {
			t.Error("the hash is the same at each start")
		}
	})
}
