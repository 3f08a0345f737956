package store

// backend is where records really are: the file, or RAM when there is none.
// The Store calls it from one goroutine at a time.
type backend interface {
	// update runs fn in a transaction that is kept whole or not at all.
	update(fn func(raw) error) error
	view(fn func(raw) error) error
	close() error
}

// raw is one transaction; values are records with their frame.
type raw interface {
	// get borrows the record until the transaction ends; nil if there is none.
	get(bucket string, key []byte) []byte
	put(bucket string, key, record []byte) error
	// del of a key that is not there is no error.
	del(bucket string, key []byte) error
	// each calls fn for the keys from from on, in order, while it returns true.
	// fn must not change the bucket.
	each(bucket string, from []byte, fn func(key, record []byte) bool)
	// last is the greatest key, nil in an empty bucket.
	last(bucket string) []byte
}
