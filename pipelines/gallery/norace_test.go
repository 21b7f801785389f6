//go:build !race

package gallery

// racing says that the race detector watches.
const racing = false
