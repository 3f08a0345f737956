// Package enrol is how a gateway comes to the certificate that the broker knows
// it by. The gateway makes its own key, which never leaves it, and asks for a
// certificate with a request that anybody may read; a person compares the
// fingerprint on the console with that of the request and signs it with the
// site's CA (Approve); the certificate comes back as a file, and is used once it
// belongs to key, name and CA.
//
// It speaks to nobody: files come and go by the ESP. It renews nothing by
// itself, and no certificate, or one that has ended, changes what is filtered.
package enrol
