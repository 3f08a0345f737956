package store

import (
	"errors"
	"io/fs"
	"os"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// pageSize is fixed: the default is the kernel's, and with 16 KiB pages a small
// record costs four times the writes.
const pageSize = 4096

// fill leaves little room in split pages: most buckets only grow at the end.
const fill = 0.9

type boltFile struct {
	db   *bolt.DB
	file *os.File // bbolt's own, to give the lock back when bbolt cannot
}

// openBolt opens an existing file. size is the most it may grow to.
func openBolt(path string, size int64) (*boltFile, error) {
	return boltOpen(path, &bolt.Options{
		PageSize: pageSize, MaxSize: int(size), InitialMmapSize: int(size), FreelistType: bolt.FreelistMapType,
		// Statistics stay on: spare needs the count of free pages.
	})
}

// shareBolt opens a file to read beside other readers. It looks at the head of
// the file only.
func shareBolt(path string) (*boltFile, error) {
	return boltOpen(path, &bolt.Options{ReadOnly: true, NoStatistics: true})
}

// boltOpen opens behind the guard, and gives the file's lock back whatever
// happens to bbolt.
func boltOpen(path string, opt *bolt.Options) (*boltFile, error) {
	b := &boltFile{}
	opt.Timeout = time.Second // for the lock
	opt.OpenFile = func(name string, flag int, perm fs.FileMode) (*os.File, error) {
		f, err := os.OpenFile(name, flag, perm)
		b.file = f
		return f, err
	}
	err := guard(func() (err error) {
		b.db, err = bolt.Open(path, 0o600, opt)
		return err
	})
	if err != nil {
		b.abandon()
		if errors.Is(err, berrors.ErrTimeout) {
			err = ErrInUse
		}
		return nil, err
	}
	// bbolt holds back a step of growth (16 MiB by default) below MaxSize; the
	// file is preallocated, so growth is never wanted and a page is enough.
	b.db.AllocSize = pageSize
	return b, nil
}

// reserve is the number of pages that only deletions may use up: a delete needs
// new pages before it frees old ones, so a file filled to its last page can
// never be emptied again.
const reserve = 64

func (b *boltFile) update(fn func(raw) error) error {
	return b.db.Update(func(tx *bolt.Tx) error {
		t := &boltTx{tx: tx}
		if err := fn(t); err != nil {
			return err
		}
		// What was put is counted as pages half full, which new pages are at
		// worst; a transaction that only deletes is never refused.
		if t.bytes > 0 && b.spare(tx)-t.bytes/(pageSize/2) < min(reserve, b.db.MaxSize/pageSize/8) {
			return ErrFull
		}
		return nil
	})
}

// spare is the number of pages that are free or were never used.
func (b *boltFile) spare(tx *bolt.Tx) int {
	st := b.db.Stats()
	return st.FreePageN + st.PendingPageN + b.db.MaxSize/pageSize - int(tx.Size()/pageSize)
}

func (b *boltFile) view(fn func(raw) error) error {
	return b.db.View(func(tx *bolt.Tx) error { return fn(&boltTx{tx: tx}) })
}

func (b *boltFile) close() error { return b.db.Close() }

// abandon gives up after a fault. Some mutex of bbolt may be held for ever, so
// its Close gets a goroutine and a second; where that is not enough, mapping
// and lock stay until the process ends, which it should do soon.
func (b *boltFile) abandon() {
	if b.db == nil { // bbolt panicked while it opened
		if b.file != nil {
			b.file.Close()
		}
		return
	}
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		_ = guard(b.db.Close) // the fault itself was reported
	}()
	select {
	case <-closed:
	case <-time.After(time.Second):
	}
}

type boltTx struct {
	tx    *bolt.Tx
	bytes int // put so far
}

func (t *boltTx) get(bucket string, key []byte) []byte {
	if b := t.tx.Bucket([]byte(bucket)); b != nil {
		return b.Get(key)
	}
	return nil
}

func (t *boltTx) put(bucket string, key, record []byte) error {
	b := t.tx.Bucket([]byte(bucket))
	if b == nil {
		var err error
		if b, err = t.tx.CreateBucketIfNotExists([]byte(bucket)); err != nil {
			return err
		}
	}
	b.FillPercent = fill
	t.bytes += len(key) + len(record)
	return b.Put(key, record)
}

func (t *boltTx) del(bucket string, key []byte) error {
	if b := t.tx.Bucket([]byte(bucket)); b != nil {
		return b.Delete(key)
	}
	return nil
}

func (t *boltTx) each(bucket string, from []byte, fn func(key, record []byte) bool) {
	b := t.tx.Bucket([]byte(bucket))
	if b == nil {
		return
	}
	c := b.Cursor()
	for k, v := c.Seek(from); k != nil; k, v = c.Next() {
		if v != nil && !fn(k, v) { // nil: a nested bucket, which we never make
			return
		}
	}
}

func (t *boltTx) last(bucket string) []byte {
	if b := t.tx.Bucket([]byte(bucket)); b != nil {
		k, _ := b.Cursor().Last()
		return k
	}
	return nil
}
