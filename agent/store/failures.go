package store

import (
	"os"
	"strconv"
	"strings"
)

// maxFailures in a row (a condemned file, a file that cannot be made, a fault)
// and the disk is given up for the life of one process.
const maxFailures = 3

// The count is a file of its own beside the database: it must outlive both the
// process and the file it is about. It is a hint; errors of it are not.
func failuresFile(path string) string { return path + ".failures" }

func readFailures(path string) int {
	b, err := os.ReadFile(failuresFile(path))
	if err != nil {
		return 0
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || n < 0 || n > maxFailures {
		return 0
	}
	return n
}

func noteFailures(path string, n int) {
	f, err := os.OpenFile(failuresFile(path), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return
	}
	defer f.Close()
	if _, err := f.WriteString(strconv.Itoa(min(n, maxFailures)) + "\n"); err == nil {
		f.Sync()
	}
}

func clearFailures(path string) { os.Remove(failuresFile(path)) }
