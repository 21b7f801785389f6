package schema

import (
	"github.com/apache/arrow-go/v18/arrow"

	"waggle/shared/pages"
)

// room is memory for an array that is put together: that of the column itself, where nobody needs it any more, or new one.
type room struct{ own []byte }

// reserve returns n bytes to append to.
func (r *room) reserve(n int) []byte {
	if n > len(r.own) {
		return pages.Make(n)[:0]
	}
	return r.own[:0:n]
}

// columnRoom is where the rows of a column go. Its zero value is new memory.
type columnRoom struct{ values, starts room }

// ownRoom is the memory that a column lies in: rows are copied to places before or at their own, in order. It is empty where
// the column is not one array from its beginning on.
func (c *chunked) ownRoom() (r columnRoom) {
	if len(c.chunks) != 1 || c.chunks[0].Data().Offset() != 0 {
		return r
	}
	buffers := c.chunks[0].Data().Buffers()
	switch id := c.kind.ID(); {
	case width(c.kind) > 0:
		r.values.own = buffers[1].Bytes()
	case id == arrow.STRING || id == arrow.BINARY:
		r.starts.own, r.values.own = buffers[1].Bytes(), buffers[2].Bytes()
	}
	return r
}
